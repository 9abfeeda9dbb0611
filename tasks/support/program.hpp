#pragma once
#include <string>

namespace kernmill::tasks {

/// What this program is, and its version: "kernmill-task 0.1.0". Results and datasets say it.
std::string program();

}  // namespace kernmill::tasks
