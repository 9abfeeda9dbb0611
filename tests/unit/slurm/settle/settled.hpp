#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/slurm/options/options.hpp"
#include "kernmill/slurm/settle/settle.hpp"

namespace kernmill::slurm {

/// What these options ask for, settled; they are right.
inline JobRequest settled(const BatchJob::Options& options, const Dialect& dialect = {}) {
  ParsedOptions parsed = parse_options(options, 0);
  EXPECT_THAT(parsed.problems, ::testing::IsEmpty());
  settle(parsed.request, dialect);
  return parsed.request;
}

}  // namespace kernmill::slurm
