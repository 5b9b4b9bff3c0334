# Curves and restricted means of each arm, and the stratified log-rank test of each arm against the first.
suppressPackageStartupMessages(library(survival))
given <- commandArgs(trailingOnly = TRUE)
column <- function(name) readBin(file.path(given[1], name), "double", n = as.integer(given[2]))
d <- data.frame(time = column("time"), event = column("event"), arm = column("arm"), stratum = column("stratum"))
taken <- system.time({
  means <- summary(survfit(Surv(time, event) ~ arm, data = d), rmean = as.numeric(given[3]))$table
  chi2 <- sapply(setdiff(sort(unique(d$arm)), 0), function(a)
    survdiff(Surv(time, event) ~ arm + strata(stratum), data = d[d$arm %in% c(0, a), ])$chisq)
})
line <- function(name, values) cat(name, format(values, digits = 15, trim = TRUE), "\n")
line("seconds", c(taken[["elapsed"]], taken[["user.self"]] + taken[["sys.self"]]))
line("rmst", means[, "rmean"])
line("se", means[, "se(rmean)"])
line("chi2", chi2)
cat("version", as.character(packageVersion("survival")), "\n")
