#pragma once
#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/models/network/network_kind.hpp"

namespace kernmill::tasks {

/// Trains a model of a kind that is a network. Throws as ModelKind::fit does.
Fit fit_network(const Json& config, const FitData& data, Session& session);

/// Batches an epoch, or 1 for a full-batch method.
std::uint64_t network_steps_per_period(const Json& config, std::uint64_t rows);

/// The kind of a model that is a network: what is its own, and what all of them share.
constexpr ModelKind network_model(ModelKind own, const NetworkKind& network) {
  own.fit = fit_network;
  own.open = open_network;
  own.steps_per_period = network_steps_per_period;
  own.network = &network;
  return own;
}

}  // namespace kernmill::tasks
