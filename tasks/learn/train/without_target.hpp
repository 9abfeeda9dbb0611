#pragma once
#include "kernmill/storage/dataset/schema.hpp"

namespace kernmill::tasks {

/// The schema of a model that looks at no target: the column is one that was left out.
inline storage::Schema without_target(storage::Schema schema) {
  if (!schema.target.empty()) schema.left_out.push_back(schema.target);
  schema.target.clear();
  schema.target_kind = storage::TargetKind::none;
  schema.classes.clear();
  schema.target_names.clear();
  return schema;
}

}  // namespace kernmill::tasks
