#pragma once
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernmill/slurm/options/job_request.hpp"

/// Values as sbatch takes them. Each throws std::invalid_argument that says what was expected.
namespace kernmill::slurm {

std::uint32_t parse_number(std::string_view text, std::uint32_t least = 0);
/// "16G" -> megabytes; without a unit, megabytes.
std::uint64_t parse_megabytes(std::string_view text);
/// "90", "90:30", "1:30:00", "2-12", "2-12:30:00", "UNLIMITED" -> seconds, JobRequest::no_limit for the last.
std::uint32_t parse_duration(std::string_view text);
/// The same in minutes, rounded up.
std::uint32_t parse_minutes(std::string_view text);
/// "4", "2-8", "1k" -> the least and the most.
std::pair<std::uint32_t, std::uint32_t> parse_node_range(std::string_view text);
/// "2-8" has its own parser; "B:USR1@60", "TERM", "10@120".
Warning parse_warning(std::string_view text);
Distribution parse_distribution(std::string_view text);
/// "END,FAIL", "ALL", "NONE" -> bits of Mail.
unsigned parse_mail_types(std::string_view text);
/// "now+2hours", "16:00", "tomorrow", "2030-01-20T12:34:00", "010230", "1/20/30-12:30" -> seconds since 1970.
std::int64_t parse_time_point(std::string_view text, std::time_t now);
/// A signal by name ("USR1", "SIGUSR1") or number.
int parse_signal(std::string_view text);
/// How many hosts "n[1-3,7],m2" names. Brackets hold numbers and ranges.
std::uint32_t count_hosts(std::string_view list);
/// The hosts themselves, in order, without repetition.
std::vector<std::string> expand_hosts(std::string_view list);

}  // namespace kernmill::slurm
