#include "kernmill/exec/dispatch.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/base/standard_streams.hpp"
#include "kernmill/exec/attempt/attempt_runner.hpp"
#include "kernmill/exec/attempt/options.hpp"
#include "kernmill/exec/closing.hpp"
#include "kernmill/exec/element/slurm_element.hpp"
#include "kernmill/exec/growing.hpp"
#include "kernmill/exec/job/rendezvous.hpp"
#include "kernmill/exec/local_attempt.hpp"
#include "kernmill/exec/local_pack.hpp"
#include "kernmill/exec/stall/other_nodes.hpp"
#include "kernmill/run/directory/trust.hpp"

namespace kernmill::exec {

int dispatch(int argc, char** argv, const JournalWriter::Hook& hook, const ClusterFactory& open_cluster) {
  try {
    open_standard_streams();
    if (const auto status = start_rank({argv + 1, argv + argc})) return *status;
    if (const auto status = look_at_this_node({argv + 1, argv + argc})) return flushed(*status);
    StopRequests stop;  // first: no request is to find this process unprepared
    const Options options = parse_options({argv + 1, argv + argc});
    const RunDirectory run(std::filesystem::canonical(options.run));
    check_believed(run, TrustDepth::doors, user_called(value_of(own_environment(), vouched_variable)));
    switch (options.what) {
      case Options::What::element:
        return run_slurm_element(options, run, stop, hook, open_cluster);
      case Options::What::close:
        return close_run(options, run, hook, open_cluster);
      case Options::What::grow:
        return go_on_behind(options, run, hook, open_cluster);
      case Options::What::pack:
        return run_local_pack(options, run, stop, hook);
      case Options::What::attempt:
        break;
    }
    return run_local_attempt(options, run, stop, hook);
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "kernmill-exec: {}\n", error.what());
    return exit_usage;
  } catch (const NotBelieved& why) {
    fmt::print(stderr, "kernmill-exec: {}\nhelp: {}\n", why.what(), why.help);
    return exit_unavailable;
  } catch (const std::exception& error) {
    fmt::print(stderr, "kernmill-exec: {}\n", error.what());
    return exit_unavailable;
  }
}

}  // namespace kernmill::exec
