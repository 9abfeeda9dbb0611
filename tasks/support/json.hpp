#pragma once
#include <nlohmann/json.hpp>

namespace kernmill::tasks {

/// Of spec.json, result.json and error.json.
inline constexpr int schema_version = 1;

/// Keys keep the order in which they were written, so that files are the same from run to run.
using Json = nlohmann::ordered_json;

}  // namespace kernmill::tasks
