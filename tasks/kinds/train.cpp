#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/base/training_lines.hpp"
#include "kernmill/kernels/processor.hpp"
#include "kernmill/kernels/product_fold.hpp"
#include "kernmill/storage/history/history.hpp"
#include "kernmill/tasks/comm/device_memory.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/learn/monitor/attempts.hpp"
#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/blas.hpp"

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
  config.erase("cache");                                   // as it changes no number
  if (config.value("exact", true)) config.erase("exact");  // as it is by itself
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

/// What this rank multiplies by, as far as the bits are a matter of that; empty where it is not known.
std::string products_of(const ModelKind& kind) {
  if (kernels::folds_products<kernels::Device> && !kind.multiplies_by_blas)
    return kernels::rounds_once() ? "fused products" : "products that are rounded twice";
  const std::string blas = blas_kernels();
  return blas.empty() ? "" : "BLAS kernels " + blas;
}

/// Collective. All ranks', each way once.
std::set<std::string> products_of_ranks(const Communicator& comm, const ModelKind& kind) {
  std::string own = products_of(kind);
  own.push_back('\0');
  const std::vector<char> all = comm.allgatherv(std::span<const char>(own));
  std::set<std::string> names;
  for (auto at = all.begin(); at != all.end();) {
    const auto end = std::find(at, all.end(), '\0');
    if (at != end) names.emplace(at, end);
    at = std::next(end);
  }
  return names;
}

/// What is in force where a workflow may leave it open.
Json arithmetic_of(const Json& config, const std::set<std::string>& products) {
  return {{"precision", config.value("precision", "float64")},
          {"exact", config.value("exact", true)},
          {"products", products},
          {"loops", kernels::name_of(kernels::processor_level())}};
}

std::string text_of(const Json& arithmetic) {
  const auto products = arithmetic.at("products").get<std::set<std::string>>();
  return fmt::format("computing in {}, {} sums, {}loops for {}{}",
                     arithmetic.at("precision").get<std::string>(),
                     arithmetic.at("exact").get<bool>() ? "exact" : "fast",
                     products.empty() ? "" : fmt::format("{}, ", fmt::join(products, " and ")),
                     arithmetic.at("loops").get<std::string>(), way_of_messages());
}

/// Which of it the numbers of a model say nothing of.
std::string with_arithmetic(const std::string& settings, const Json& arithmetic) {
  Json all = Json::parse(settings);
  for (const char* key : {"precision", "exact"}) all[key] = arithmetic.at(key);
  return all.dump();
}

MonitorSettings monitor_of(const Spec& spec, std::uint64_t rows, const Json& arithmetic) {
  Json of{{"stage", spec.stage}, {"model", setting(spec.config, "model.type")}, {"rows", rows}};
  of.update(arithmetic);
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
  policy.products = products_of_ranks(comm, model_kind_of(spec.config));
  policy.is_exact = spec.config.contains("exact") && spec.config.value("exact", true);
  if (policy.is_exact) require_one_kind(policy.products);
  const Json arithmetic = arithmetic_of(spec.config, policy.products);
  if (comm.is_root()) fmt::print("{}\n", text_of(arithmetic));
  Session session(comm, std::move(policy), true, monitor_of(spec, rows.count(), arithmetic));
  Fit fitted = fit_model(spec.config, {rows, held_out, start ? &*start : nullptr}, session);
  session.finish();
  fitted.model.settings = with_arithmetic(fitted.model.settings, arithmetic);
  storage::write_model(comm.handle(), spec.output_directory / "model.h5", fitted.model, spec.key);
  Json artifacts = {{"model", "model.h5"}};
  if (write_history(spec, comm, earlier)) artifacts["history"] = "history.h5";
  return {std::move(fitted.metrics), std::move(artifacts), session.summary()};
}

}  // namespace kernmill::tasks
