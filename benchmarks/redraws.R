# 100 redraws of whole clusters within blocks, and the difference of each.
suppressPackageStartupMessages(library(ri2))
given <- commandArgs(trailingOnly = TRUE)
column <- function(name) readBin(file.path(given[1], name), "double", n = as.integer(given[2]))
d <- data.frame(Y = column("y"), Z = column("arm"), cluster = column("cluster"), block = column("block"))
arms <- tapply(d$Z[!duplicated(d$cluster)], d$block[!duplicated(d$cluster)], sum)
taken <- system.time({
  declared <- randomizr::declare_ra(blocks = d$block, clusters = d$cluster, block_m = as.vector(arms))
  found <- conduct_ri(Y ~ Z, declaration = declared, data = d, sims = 100)
})
cat("seconds", taken[["elapsed"]], taken[["user.self"]] + taken[["sys.self"]], "\n")
