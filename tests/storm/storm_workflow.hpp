#pragma once
#include <string>

namespace kernmill::testing {

inline constexpr unsigned instances_of_an_array = 12;

//   prepare -> fit -> score ------+
//                                 +-> last     every fourth of many fails once; gather needs every one of
//                                 many
//   many x12 -+-> each x12 -------+
//             +-> gather ---------+
/// Each command writes a line into the ledger of its run when it begins, and one when it ends.
std::string storm_workflow(bool packed);

}  // namespace kernmill::testing
