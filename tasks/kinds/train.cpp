#include <optional>
#include <string>

#include <fmt/format.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/base/training_lines.hpp"
#include "kernmill/storage/history/history.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/learn/monitor/attempts.hpp"
#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/registry.hpp"

namespace kernmill::tasks {
namespace {

std::string digest_of_parameters(const storage::Model& model) {
  Sha256 sum;
  for (const storage::Tensor& tensor : model.parameters) sum.add(tensor.data.bytes);
  return hexadecimal(sum.finish());
}

std::string identity_of(const Spec& spec, const storage::DatasetReader& data,
                        const std::optional<storage::Model>& start) {
  Json config = without_layout(spec.config);
  config.erase("checkpoint");
  config.erase("cache");  // as it changes no number
  Json identity{{"config", std::move(config)}, {"data", data.content_hash()}};
  if (start) identity["start"] = digest_of_parameters(*start);
  return identity.dump();
}

CheckpointPolicy policy_of(const Spec& spec, std::uint64_t rows, std::string identity) {
  const auto steps_per_period = model_kind_of(spec.config).steps_per_period;
  const std::uint64_t steps = steps_per_period == nullptr ? 1 : steps_per_period(spec.config, rows);
  const CheckpointSettings settings = read_checkpoint_settings(spec.config);
  CheckpointPolicy policy{spec.checkpoint_directory,
                          settings.interval,
                          settings.retention,
                          std::move(identity),
                          false,
                          spec.key,
                          spec.transport};
  policy.interval.steps *= steps;
  policy.retention.keep_every *= steps;
  return policy;
}

MonitorSettings monitor_of(const Spec& spec, std::uint64_t rows) {
  Json of{{"stage", spec.stage}, {"model", setting(spec.config, "model.type")}, {"rows", rows}};
  if (const Json optimizer = spec.config.value("optimizer", Json()); optimizer.is_object())
    of["optimizer"] = setting(optimizer, "type");
  return {spec.output_directory / training_lines, static_cast<unsigned>(spec.attempt), std::move(of)};
}

/// On rank 0; the others have none.
Attempts earlier_attempts(const Spec& spec, const Communicator& comm) {
  return comm.is_root() ? Attempts::before(spec.output_directory, spec.attempt) : Attempts{};
}

/// Collective. Whether it is there: a model is not lost over it.
bool write_history(const Spec& spec, const Communicator& comm, Attempts attempts) {
  attempts.texts.push_back(text_of_lines(spec.output_directory / training_lines));
  try {
    const auto history = comm.is_root() ? history_of(attempts) : storage::History{};
    storage::write_history(comm.handle(), spec.output_directory / "history.h5", history, spec.key);
    return true;
  } catch (const storage::Error& error) {
    if (comm.is_root())
      fmt::print(stderr, "warning: there is no history of this training: {}\n", error.what());
    return false;
  }
}

}  // namespace

Result run_train(const Spec& spec, const Communicator& comm) {
  const storage::DatasetReader reader = open_dataset(comm, spec, "data");
  const Rows rows(reader, storage::Part::train), held_out(reader, storage::Part::validation);
  std::optional<storage::Model> start;
  if (spec.inputs.contains("start_from")) start = read_model(comm, spec, "start_from");
  const Attempts earlier = earlier_attempts(spec, comm);
  CheckpointPolicy policy = policy_of(spec, rows.count(), identity_of(spec, reader, start));
  policy.after_divergence = comm.allreduce(earlier.diverged() ? 1 : 0, Reduction::max) != 0;
  Session session(comm, std::move(policy), true, monitor_of(spec, rows.count()));
  Fit fitted = fit_model(spec.config, {rows, held_out, start ? &*start : nullptr}, session);
  session.finish();
  storage::write_model(comm.handle(), spec.output_directory / "model.h5", fitted.model, spec.key);
  Json artifacts = {{"model", "model.h5"}};
  if (write_history(spec, comm, earlier)) artifacts["history"] = "history.h5";
  return {std::move(fitted.metrics), std::move(artifacts), session.summary()};
}

}  // namespace kernmill::tasks
