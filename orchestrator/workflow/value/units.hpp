#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace kernmill {

/// A time limit as sbatch spells it (minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS, UNLIMITED), or with
/// units: 30s, 90m, 2h, 1d, 1h30m. No limit is zero. Nothing when it is neither.
std::optional<std::chrono::seconds> parse_time(std::string_view text);

/// Memory in bytes: 512M, 16G, 16GB, 1T, 2048K; a bare number is megabytes, as in sbatch.
std::optional<std::uint64_t> parse_memory(std::string_view text);

/// What `parse_time` and `parse_memory` read back, as a person would write it: "1h30m", "16G". Memory is
/// rounded down to megabytes from one megabyte on.
std::string spell_time(std::chrono::seconds time);
std::string spell_memory(std::uint64_t bytes);

/// The same as Slurm's own options take it: whole minutes, and "1500M"; rounded up.
std::string sbatch_time(std::chrono::seconds time);
std::string sbatch_memory(std::uint64_t bytes);

/// A number of nodes, or a range such as 2-8; at least one node.
std::optional<std::pair<int, int>> parse_node_range(std::string_view text);

/// What --gpus takes: 2, a100:2, or a list such as a100:1,h100:2.
bool is_gpu_request(std::string_view text);

/// A factor: x2, x1.5 or 2; at least 1.
std::optional<double> parse_factor(std::string_view text);

}  // namespace kernmill
