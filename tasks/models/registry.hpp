#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "kernmill/tasks/models/model_kind.hpp"

namespace kernmill::tasks {

/// The kinds of models that this program knows.
std::span<const ModelKind* const> model_kinds();

/// Throws SpecError when there is no model of that type.
const ModelKind& model_kind(std::string_view type);
/// The kind of a train stage's config.
const ModelKind& model_kind_of(const Json& config);

/// The stage's config in a model file, which may be somebody else's. Throws TaskError where it is none.
Json config_of(const storage::Model& model);

/// A model of a file, ready to predict. Throws TaskError when it is of a type that this program does not
/// know, or its parameters do not fit its schema.
std::unique_ptr<Predictor> open_model(const storage::Model& model);

}  // namespace kernmill::tasks
