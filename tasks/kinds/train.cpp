#include <optional>
#include <string>

#include <fmt/format.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/learn/train/fit.hpp"

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

CheckpointPolicy policy_of(const Spec& spec, const TrainSettings& settings, std::uint64_t rows,
                           std::string identity) {
  const std::uint64_t steps = steps_per_period(settings, rows);
  CheckpointPolicy policy{spec.checkpoint_directory,
                          settings.checkpoint_interval,
                          settings.checkpoint_retention,
                          std::move(identity),
                          spec.key,
                          spec.transport};
  policy.interval.steps *= steps;
  policy.retention.keep_every *= steps;
  return policy;
}

}  // namespace

Result run_train(const Spec& spec, const Communicator& comm) {
  const TrainSettings settings = read_train_settings(spec.config);
  const storage::DatasetReader reader = open_dataset(comm, spec, "data");
  const Rows rows(reader, storage::Part::train), held_out(reader, storage::Part::validation);
  std::optional<storage::Model> start;
  if (spec.inputs.contains("start_from")) start = read_model(comm, spec, "start_from");
  Session session(comm, policy_of(spec, settings, rows.count(), identity_of(spec, reader, start)), true);
  Fit fitted = fit(spec.config, {rows, held_out, start ? &*start : nullptr}, session);
  session.finish();
  storage::write_model(comm.handle(), spec.output_directory / "model.h5", fitted.model, spec.key);
  return {std::move(fitted.metrics), {{"model", "model.h5"}}};
}

}  // namespace kernmill::tasks
