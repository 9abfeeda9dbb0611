#include "kernmill/exec/stall/other_nodes.hpp"

#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/job/srun.hpp"
#include "kernmill/exec/stall/stacks.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
constexpr const char *signs_option = "--signs", *stacks_option = "--stacks";

/// One process on each node, beside those of the step, which has all of the job's resources.
std::vector<std::string> srun_on_each_node(int nodes) {
  return {"srun",
          "--overlap",
          "--mpi=none",
          fmt::format("--nodes={}", nodes),
          "--ntasks-per-node=1",
          fmt::format("--ntasks={}", nodes),
          "--cpus-per-task=1",
          "--mem=0",
          "--gres=none",
          "--quiet"};
}

}  // namespace

OtherNodes other_nodes(const BatchPlace& place, const Environment& own, const std::string& token,
                       const std::string& rank_program, const fs::path& stacks) {
  OtherNodes others;
  if (place.nodes < 2) return others;
  others.nodes = place.nodes;
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  SpawnOptions& signs = others.signs;
  signs.argv = srun_on_each_node(place.nodes);
  signs.env = srun_environment(own, Resources{});
  signs.err = "/dev/null";
  others.stacks = signs;
  others.stacks.argv.push_back("--output=" + stacks.string() + ".%t");
  others.stacks.out = "/dev/null";
  signs.argv.insert(signs.argv.end(), {self, signs_option, token});
  others.stacks.argv.insert(others.stacks.argv.end(),
                            {self, stacks_option, token, rank_program, stacks.string()});
  return others;
}

std::optional<int> look_at_this_node(const std::vector<std::string>& words) {
  if (words.size() == 2 && words[0] == signs_option) {
    std::cout << to_line(signs_of(find_tree(0, 0, words[1])));
    return exit_done;
  }
  if (words.size() == 4 && words[0] == stacks_option) {
    const std::string scratch = fmt::format("{}.{}-{}.part", words[3], host_name(), ::getpid());
    take_stacks(std::cout, scratch, find_tree(0, 0, words[1]), words[2]);
    return exit_done;
  }
  return {};
}

}  // namespace kernmill::exec
