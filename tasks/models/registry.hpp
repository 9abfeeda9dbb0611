#pragma once
#include <span>
#include <string_view>

#include "kernmill/tasks/models/model_kind.hpp"

namespace kernmill::tasks {

/// The kinds of models that this program knows.
std::span<const ModelKind* const> model_kinds();

/// Throws SpecError when there is no model of that type.
const ModelKind& model_kind(std::string_view type);

}  // namespace kernmill::tasks
