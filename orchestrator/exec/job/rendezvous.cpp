#include "kernmill/exec/job/rendezvous.hpp"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <sstream>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::exec {
namespace {

constexpr const char *rank_option = "--rank", *loopback = "127.0.0.1";
/// Below what Linux gives to outgoing connections (32768 and above).
constexpr unsigned first_port = 20'000, port_count = 10'000;

bool is_free(unsigned port) {
  const FileDescriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return probe && ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool is_known_by_name(const std::string& host) {
  addrinfo* found = nullptr;
  const bool known = ::getaddrinfo(host.c_str(), nullptr, nullptr, &found) == 0;
  if (found != nullptr) ::freeaddrinfo(found);
  return known;
}

std::string first_of(const Environment& own, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (std::string value = value_of(own, name); !value.empty()) return value;
  return {};
}

int whole(const std::string& text, int otherwise) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty() ? value : otherwise;
}

/// Of one node, from Slurm's "2(x3),1": three nodes with two ranks each, then one with one. 0: not said.
int tasks_of_node(const std::string& per_node, int node) {
  std::istringstream groups(per_node);
  for (std::string group; std::getline(groups, group, ',');) {
    const std::size_t times = group.find("(x");
    const int nodes = times == std::string::npos ? 1 : std::atoi(group.c_str() + times + 2);
    if (node < nodes) return std::atoi(group.c_str());
    node -= nodes;
  }
  return 0;
}

}  // namespace

std::string rendezvous(int nodes, std::string_view seed) {
  const std::string host = nodes > 1 ? host_name() : std::string();
  const auto start = static_cast<unsigned>(std::hash<std::string_view>{}(seed) % port_count);
  unsigned port = first_port + start;
  for (unsigned i = 0; i < 100; ++i) {
    port = first_port + (start + 37 * i) % port_count;
    if (is_free(port)) break;
  }
  return fmt::format("{}:{}", nodes > 1 && is_known_by_name(host) ? host : loopback, port);
}

std::vector<std::string> rank_starter() {
  static const std::vector<std::string> words = [] {
    std::error_code none;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe", none).string();
    constexpr std::string_view special = " \t\n*?[]\\'\"$`~";
    if (none || self.find_first_of(special) != std::string::npos) return std::vector<std::string>{};
    return std::vector<std::string>{self, rank_option};
  }();
  return words;
}

Environment rank_variables(const Environment& own) {
  Environment variables;
  const auto add = [&](const char* name, const std::string& value) {
    if (value_of(own, name).empty() && !value.empty()) variables.emplace_back(name, value);
  };
  const int rank =
      whole(first_of(own, {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"}), -1);
  const int size =
      whole(first_of(own, {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}), 0);
  if (rank < 0 || size < 1) return variables;
  // Ranks that mpiexec starts within a job of Slurm find what the job is told, too: that is not about them.
  const std::string on_node = first_of(own, {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID"});
  const int node_of_slurm = on_node.empty() ? whole(value_of(own, "SLURM_NODEID"), -1) : -1;
  int local_size = whole(first_of(own, {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"}), 0);
  if (local_size < 1 && node_of_slurm >= 0)
    local_size =
        tasks_of_node(first_of(own, {"SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"}), node_of_slurm);
  if (local_size < 1) local_size = size;
  const std::string local_rank = !on_node.empty()     ? on_node
                                 : node_of_slurm >= 0 ? value_of(own, "SLURM_LOCALID")
                                                      : std::to_string(rank % local_size);
  const std::string node = std::to_string(node_of_slurm >= 0 ? node_of_slurm : rank / local_size);
  add("RANK", std::to_string(rank));
  add("WORLD_SIZE", std::to_string(size));
  add("LOCAL_RANK", local_rank);
  add("LOCAL_WORLD_SIZE", std::to_string(local_size));
  add("NODE_RANK", node);
  add("GROUP_RANK", node);
  const std::string place = value_of(own, "KERNMILL_RENDEZVOUS");
  const std::size_t colon = place.rfind(':');
  if (colon == std::string::npos) return variables;
  add("MASTER_ADDR", place.substr(0, colon));
  add("MASTER_PORT", place.substr(colon + 1));
  return variables;
}

std::optional<int> start_rank(const std::vector<std::string>& words) {
  if (words.empty() || words[0] != rank_option) return {};
  if (words.size() < 2 || words[1].starts_with('-')) {
    fmt::print(
        stderr,
        "kernmill-exec: $KERNMILL_LAUNCH is followed by a program, not by {}: an option of the launcher "
        "goes behind its name, as in ${{KERNMILL_LAUNCH/srun/srun --label}}\n",
        words.size() < 2 ? "nothing" : "'" + words[1] + "'");
    return exit_usage;
  }
  for (const auto& [name, value] : rank_variables(own_environment()))
    ::setenv(name.c_str(), value.c_str(), /*overwrite=*/1);
  std::vector<char*> argv;
  for (std::size_t i = 1; i < words.size(); ++i) argv.push_back(const_cast<char*>(words[i].c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  constexpr int not_found = 127, not_startable = 126;  // as a shell has it
  const int status = errno == ENOENT ? not_found : not_startable;
  fmt::print(stderr, "kernmill-exec: cannot start {}: {}\n", words[1], std::strerror(errno));
  return status;
}

}  // namespace kernmill::exec
