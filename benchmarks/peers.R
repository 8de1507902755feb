# Question means and standard errors by organisation with R's package survey, as bench.py calls it:
#   Rscript peers.R TABLE.csv OUT.csv design|stratum
# Writes OUT.csv, and prints the seconds that svyby took; reading, the design and a first call are not timed.

if (!requireNamespace("survey", quietly = TRUE)) {
  message("R has no package survey")
  quit(status = 3)
}
suppressPackageStartupMessages(library(survey))

given <- commandArgs(trailingOnly = TRUE)
table <- read.csv(given[1], stringsAsFactors = FALSE)
questions <- setdiff(names(table), c("organisation", "weight"))
design <- if (given[3] == "stratum") {
  svydesign(ids = ~1, strata = ~organisation, weights = ~weight, data = table)
} else {
  svydesign(ids = ~1, weights = ~weight, data = table)
}

# One question at a time: na.rm on several at once would drop everyone who left one of them blank.
one <- function(question) {
  svyby(as.formula(paste0("~", question)), ~organisation, design, svymean, na.rm = TRUE)
}

invisible(one(questions[1]))
seconds <- system.time(results <- lapply(questions, one))[["elapsed"]]

digits <- function(x) sprintf("%.17g", x)
rows <- lapply(seq_along(questions), function(i) {
  data.frame(
    question = questions[i],
    organisation = results[[i]]$organisation,
    mean = digits(coef(results[[i]])),
    error = digits(SE(results[[i]]))
  )
})
write.csv(do.call(rbind, rows), given[2], row.names = FALSE, quote = FALSE)
cat(seconds, "\n")
