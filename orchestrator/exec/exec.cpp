#include "kernmill/exec/exec.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/attempt/execution.hpp"
#include "kernmill/exec/attempt/options.hpp"
#include "kernmill/exec/closing.hpp"
#include "kernmill/exec/element/element.hpp"
#include "kernmill/exec/single.hpp"

namespace kernmill::exec {

int main(int argc, char** argv, const JournalWriter::Hook& hook, const ClusterFactory& open_cluster) {
  try {
    StopRequests stop;  // first: no request is to find this process unprepared
    const Options options = parse_options({argv + 1, argv + argc});
    const RunDirectory run(std::filesystem::canonical(options.run));
    switch (options.what) {
      case Options::What::element:
        return carry_out_element(options, run, stop, hook, open_cluster);
      case Options::What::close:
        return close_run(options, run, hook, open_cluster);
      case Options::What::attempt:
        break;
    }
    return carry_out_attempt(options, run, stop, hook);
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "kernmill-exec: {}\n", error.what());
    return exit_usage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "kernmill-exec: {}\n", error.what());
    return exit_unavailable;
  }
}

}  // namespace kernmill::exec
