#include "kernmill/cli/runs/acting.hpp"

#include <cstdlib>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/run/directory/trust.hpp"

namespace kernmill::cli {
namespace {

void vouch(uid_t user) {
  ::setenv(vouched_variable, std::to_string(user).c_str(), /*overwrite=*/1);
}

std::optional<uid_t> vouched_for(const Arguments& arguments) {
  if (!arguments.has("owned-by")) return {};
  const std::string name = arguments.text("owned-by");
  if (const auto user = user_called(name)) return user;
  throw UsageError(fmt::format("--owned-by: there is no user '{}' here", name),
                   "it takes a name, or a number");
}

}  // namespace

void add_acting_options(boost::program_options::options_description& options) {
  add_text(
      options, "owned-by", "USER",
      "go on although the run belongs to USER, or others may write to it; its commands run in your name");
}

RunDirectory run_to_act_on(const Arguments& arguments, const std::string& selector) {
  const auto user = vouched_for(arguments);
  RunDirectory run = chosen_run(arguments, selector, user.value_or(::geteuid()), Looking::to_act);
  const uid_t owner = owner_of(run);
  if (user && *user != owner)
    throw UsageError(fmt::format("run {} belongs to {}, not to {}", run.name(), user_text(owner),
                                 arguments.text("owned-by")));
  try {
    check_believed(run, TrustDepth::whole, user);
  } catch (const NotBelieved& why) {
    throw UsageError(why.what(), why.help);
  }
  if (user) vouch(*user);
  return run;
}

std::vector<RunDirectory> own_runs(const Arguments& arguments) {
  const uid_t user = vouched_for(arguments).value_or(::geteuid());
  std::vector<RunDirectory> runs = list_runs(run_root(arguments));
  std::erase_if(runs, [&](const RunDirectory& run) {
    struct stat status {};  // another clean may have removed it just now
    return ::lstat(run.root().c_str(), &status) != 0 || status.st_uid != user;
  });
  return runs;
}

std::string why_left_alone(const RunDirectory& run, const Arguments& arguments) {
  try {
    check_believed(run, TrustDepth::whole, vouched_for(arguments));
    return {};
  } catch (const NotBelieved& why) {
    return why.what();
  }
}

void vouch_for_new(const RunDirectory& run) {
  if (owner_of(run) != ::geteuid()) vouch(owner_of(run));
}

}  // namespace kernmill::cli
