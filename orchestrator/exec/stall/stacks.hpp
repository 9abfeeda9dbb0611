#pragma once
#include <chrono>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "kernmill/os/process.hpp"

namespace kernmill::exec {

/// Writes where each process and its threads are: the stack, by eu-stack or gdb where there is one
/// and this user may look, and what /proc says. `rank_program` first, then whoever has no child, and no more
/// than a few dozen processes, a megabyte, and `most` time.
/// `scratch`: a file that may be written to meanwhile.
void take_stacks(std::ostream& out, const std::filesystem::path& scratch, std::vector<TreeMember> processes,
                 const std::string& rank_program,
                 std::chrono::milliseconds most = std::chrono::milliseconds{25'000});

/// A line for each of the first processes in such a file: "kernmill-task (pid 12): poll < wait_any < main".
std::vector<std::string> innermost_frames(const std::filesystem::path& file, std::size_t processes = 4);

/// The names of the functions of the first stack that gdb or eu-stack printed, innermost first.
std::vector<std::string> functions_in(const std::string& output, std::size_t most = 8);

}  // namespace kernmill::exec
