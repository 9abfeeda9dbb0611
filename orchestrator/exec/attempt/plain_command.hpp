#pragma once
#include <optional>
#include <string>
#include <vector>

namespace kernmill::exec {

/// The words of a command that means the same without a shell: a program and plain arguments, perhaps behind
/// `exec`. Nothing when a shell would do anything else with it: expand, quote, redirect, run a builtin.
std::optional<std::vector<std::string>> plain_words(const std::string& command);

}  // namespace kernmill::exec
