#include "kernmill/storage/packed.hpp"

namespace kernmill::storage {
namespace {

// One list of the members, for both directions.
template <class SchemaLike, class Visit>
void each_member(SchemaLike& schema, const Visit& visit) {
  visit(schema.features);
  visit(schema.mean);
  visit(schema.scale);
  visit(schema.target);
  visit(schema.target_kind);
  visit(schema.classes);
  visit(schema.target_names);
  visit(schema.series.transform);
  visit(schema.series.window);
  visit(schema.series.horizon);
  visit(schema.series.columns);
  visit(schema.source);
}

}  // namespace

std::string packed(const Schema& schema) {
  Packer packer;
  each_member(schema, [&](const auto& member) { packer.put(member); });
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
