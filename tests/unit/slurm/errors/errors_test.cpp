#include "kernmill/slurm/errors/errors.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace kernmill::slurm {
namespace {

TEST(SlurmErrors, WhatPassesIsToldFromWhatNeverWill) {
  using Kind = ClusterError::Kind;
  for (const int code : {1800, 5004, 1001, ECONNREFUSED, ETIMEDOUT, 1007}) {
    EXPECT_EQ(kind_of(reason_of(code)), Kind::unavailable) << code;
  }
  for (const int code : {EAGAIN, 2050, 2007, 2016, 2020})
    EXPECT_EQ(kind_of(reason_of(code)), Kind::busy) << code;
  for (const int code : {2000, 2014, 2081, 2002, 2072, 9999}) {
    EXPECT_EQ(kind_of(reason_of(code)), Kind::rejected) << code;
  }
  EXPECT_EQ(kind_of(reason_of(2017)), Kind::unknown_job);
}

TEST(SlurmErrors, AnErrorSaysWhatWhyAndTheWayOut) {
  const ClusterError error =
      make_error(Reason::array, "submit iris.fit", "Invalid job array specification", 2081);
  EXPECT_STREQ(
      error.what(),
      "cannot submit iris.fit: Slurm refuses: Invalid job array specification (error 2081); indices lie "
      "below MaxArraySize (`scontrol show config`)");
}

}  // namespace
}  // namespace kernmill::slurm
