#include "kernmill/storage/packed.hpp"

namespace kernmill::storage {
namespace {

// One list of the members, for both directions.
template <class SchemaLike, class Visit>
void each_member(SchemaLike& schema, const Visit& visit) {
  visit(schema.inputs);
  visit(schema.steps);
  visit(schema.features);
  visit(schema.target);
  visit(schema.target_kind);
  visit(schema.classes);
  visit(schema.target_names);
  visit(schema.series.transform);
  visit(schema.series.window);
  visit(schema.series.horizon);
  visit(schema.series.columns);
  visit(schema.series.lags);
  visit(schema.source);
  visit(schema.split);
}

template <class ColumnLike, class Visit>
void each_member_of_input(ColumnLike& column, const Visit& visit) {
  visit(column.name);
  visit(column.type);
  visit(column.categories);
  visit(column.lowest);
  visit(column.highest);
  visit(column.missing);
}

template <class StepLike, class Visit>
void each_member_of_step(StepLike& step, const Visit& visit) {
  visit(step.kind);
  visit(step.columns);
  visit(step.numbers);
  visit(step.texts);
}

}  // namespace

void Packer::put(const InputColumn& column) {
  each_member_of_input(column, [&](const auto& member) { put(member); });
}

void Packer::put(const Step& step) {
  each_member_of_step(step, [&](const auto& member) { put(member); });
}

void Unpacker::get(InputColumn& column) {
  each_member_of_input(column, [&](auto& member) { get(member); });
}

void Unpacker::get(Step& step) {
  each_member_of_step(step, [&](auto& member) { get(member); });
}

std::string packed(const Schema& schema) {
  Packer packer;
  each_member(schema, [&](const auto& member) { packer.put(member); });
  return packer.take();
}

std::string packed_version_1(const Schema& schema) {
  std::vector<double> mean, scale;
  for (const Step& step : schema.steps) {  // one at most: that of the file's `mean` and `scale`
    const auto half = step.numbers.begin() + static_cast<std::ptrdiff_t>(step.numbers.size() / 2);
    mean.assign(step.numbers.begin(), half);
    scale.assign(half, step.numbers.end());
  }
  Packer packer;
  packer.put(schema.features);
  packer.put(mean);
  packer.put(scale);
  packer.put(schema.target);
  packer.put(schema.target_kind);
  packer.put(schema.classes);
  packer.put(schema.target_names);
  packer.put(schema.series.transform);
  packer.put(schema.series.window);
  packer.put(schema.series.horizon);
  packer.put(schema.series.columns);
  packer.put(schema.source);
  return packer.take();
}

Schema unpacked_schema(std::string_view bytes) {
  Schema schema;
  Unpacker unpacker(bytes);
  each_member(schema, [&](auto& member) { unpacker.get(member); });
  return schema;
}

std::string packed(const std::vector<Tensor>& tensors) {
  Packer packer;
  packer.put(std::uint64_t{tensors.size()});
  for (const Tensor& tensor : tensors) {
    packer.put(tensor.name);
    packer.put(tensor.shape);
    packer.put(tensor.data);
  }
  return packer.take();
}

std::vector<Tensor> unpacked_tensors(std::string_view bytes) {
  Unpacker unpacker(bytes);
  std::uint64_t count = 0;
  unpacker.get(count);
  std::vector<Tensor> tensors(count);
  for (Tensor& tensor : tensors) {
    unpacker.get(tensor.name);
    unpacker.get(tensor.shape);
    unpacker.get(tensor.data);
  }
  return tensors;
}

}  // namespace kernmill::storage
