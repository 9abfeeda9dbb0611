#pragma once
#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/storage/file/packed.hpp"

/// Private to storage/: what schemas are packed as.
namespace kernmill::storage {

auto members_of(Is<InputColumn> auto& column) {
  return std::tie(column.name, column.type, column.categories, column.lowest, column.highest, column.missing);
}

auto members_of(Is<Step> auto& step) {
  return std::tie(step.kind, step.columns, step.numbers, step.texts);
}

auto members_of(Is<Series> auto& series) {
  return std::tie(series.transform, series.window, series.horizon, series.columns, series.lags);
}

auto members_of(Is<Schema> auto& schema) {
  return std::tie(schema.inputs, schema.steps, schema.features, schema.target, schema.target_kind,
                  schema.classes, schema.target_names, schema.series, schema.left_out, schema.source,
                  schema.split, schema.weight);
}

}  // namespace kernmill::storage
