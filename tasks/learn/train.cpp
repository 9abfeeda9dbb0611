#include <chrono>
#include <string>

#include <fmt/format.h>

#include "kernmill/tasks/learn/fit.hpp"
#include "kernmill/tasks/support/task.hpp"

namespace kernmill::tasks {
namespace {

// Size and time stamp stand for the content: reading terabytes once more, to see that nothing has changed, is
// no way to resume.
std::string identity_of(const Communicator& comm, const Spec& spec) {
  std::string identity;
  comm.agree([&] {
    if (!comm.is_root()) return;
    Json config = spec.config;
    config.erase("checkpoint");
    const std::filesystem::path& data = spec.input("data");
    const auto changed = std::filesystem::last_write_time(data).time_since_epoch();
    identity = Json{{"config", config},
                    {"data_size", std::filesystem::file_size(data)},
                    {"data_changed_ns", std::chrono::nanoseconds(changed).count()}}
                   .dump();
  });
  comm.bcast(identity);
  return identity;
}

CheckpointPolicy policy_of(const Spec& spec, const TrainSettings& settings, std::uint64_t rows,
                           std::string identity) {
  const std::uint64_t steps = steps_per_period(settings, rows);
  CheckpointPolicy policy{spec.checkpoint_directory, settings.checkpoint_interval,
                          settings.checkpoint_retention, std::move(identity), spec.key};
  policy.interval.steps *= steps;
  policy.retention.keep_every *= steps;
  return policy;
}

}  // namespace

Result run_train(const Spec& spec, const Communicator& comm) {
  const TrainSettings settings = read_train_settings(spec.config);
  const storage::DatasetReader reader(comm.handle(), spec.input("data"), {spec.key});
  const Rows rows(reader, storage::Part::train);
  Session session(comm, policy_of(spec, settings, rows.count(), identity_of(comm, spec)), true);
  Fit fitted = fit(spec.config, rows, session);
  session.finish();
  storage::write_model(comm.handle(), spec.output_directory / "model.h5", fitted.model, spec.key);
  return {std::move(fitted.metrics), {{"model", "model.h5"}}};
}

}  // namespace kernmill::tasks
