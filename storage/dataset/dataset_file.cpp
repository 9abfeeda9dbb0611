#include "kernmill/storage/dataset/dataset_file.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/dataset/encoding_file.hpp"
#include "kernmill/storage/dataset/schema_file.hpp"
#include "kernmill/storage/file/packed.hpp"
#include "kernmill/storage/hdf5/description.hpp"
#include "kernmill/storage/sealed/format.hpp"

namespace kernmill::storage {
namespace {

const char* to_string(Table table) {
  switch (table) {
    case Table::features:
      return "features";
    case Table::bytes:
      return "bytes";
    case Table::indptr:
      return "indptr";
    case Table::indices:
      return "indices";
    case Table::values:
      return "values";
    case Table::target:
      return "target";
    case Table::weights:
      return "weights";
    case Table::row_numbers:
      return "row_numbers";
    case Table::levels_before:
      return "levels_before";
    default:
      return "levels_at";
  }
}

/// What decides which tables there are.
struct Plan {
  const Schema& schema;
  const Encoding& encoding;
  std::uint64_t rows, entries;
};

std::optional<hdf5::Shape> shape_of_features(Table table, const Plan& plan) {
  const std::uint64_t in_bytes = plan.encoding.bytes.size(), others = plan.schema.features.size() - in_bytes;
  if (plan.encoding.sparse != (table >= Table::indptr)) return std::nullopt;
  switch (table) {
    case Table::features:
      if (others == 0 && in_bytes > 0) return std::nullopt;
      return hdf5::Shape{plan.rows, others};
    case Table::bytes:
      if (in_bytes == 0) return std::nullopt;
      return hdf5::Shape{plan.rows, in_bytes};
    case Table::indptr:
      return hdf5::Shape{plan.rows + 1};
    default:
      return hdf5::Shape{plan.entries};
  }
}

std::optional<hdf5::Shape> shape_of(Table table, const Plan& plan) {
  if (table < Table::target) return shape_of_features(table, plan);
  const std::uint64_t targets = target_count_of(plan.schema);
  if (table == Table::row_numbers) return hdf5::Shape{plan.rows};
  if (table == Table::weights)
    return plan.schema.weight.empty() ? std::nullopt : std::optional(hdf5::Shape{plan.rows});
  if (table == Table::target && targets == 0) return std::nullopt;
  if (table > Table::row_numbers && plan.schema.series.transform.empty()) return std::nullopt;
  return hdf5::Shape{plan.rows, targets};
}

hdf5::Type type_of(Table table, const Encoding& encoding) {
  switch (table) {
    case Table::features:
    case Table::values:
      return hdf5::type_of(encoding.features);
    case Table::bytes:
      return hdf5::Type::u8;
    case Table::indptr:
    case Table::row_numbers:
      return hdf5::Type::u64;
    case Table::indices:
      return hdf5::Type::u32;
    case Table::target:
      return hdf5::type_of(encoding.target);
    default:
      return hdf5::Type::f64;
  }
}

PartSizes lengths_of(const hdf5::File& file, Table table, hdf5::Type type) {
  PartSizes lengths{};
  for (const Part part : all_parts)
    lengths[static_cast<std::size_t>(part)] = file.open_dataset(path_of(part, table), type, 1).elements();
  return lengths;
}

SealedTable without_checksums(const hdf5::File& file, const TableShape& table, hdf5::Shape& shape) {
  const auto data = file.open_dataset(table.path(), table.type, table.shape.size());
  shape = data.shape();
  return {table.path(), data.offset(), data.elements() * sizeof(double), 0, {}};
}

}  // namespace

const char* to_string(Part part) {
  switch (part) {
    case Part::train:
      return "train";
    case Part::validation:
      return "validation";
    default:
      return "test";
  }
}

std::string path_of(Part part, Table table) {
  return fmt::format("{}/{}", to_string(part), to_string(table));
}

std::uint64_t target_count_of(const Schema& schema) {
  switch (schema.target_kind) {
    case TargetKind::classes:
      return 1;
    case TargetKind::numbers:
      return schema.target_names.size();
    default:
      return 0;
  }
}

DatasetTables::DatasetTables(const Schema& schema, const Encoding& encoding, const PartSizes& rows,
                             const PartSizes& entries)
    : rows_(rows), entries_(entries) {
  for (const Part part : all_parts)
    for (const Table table : all_tables)
      if (auto shape = shape_of(table, {schema, encoding, this->rows(part), this->entries(part)}))
        all_.push_back({part, table, type_of(table, encoding), std::move(*shape)});
}

std::optional<std::size_t> DatasetTables::find(Part part, Table table) const {
  const auto at = std::find_if(all_.begin(), all_.end(),
                               [&](const TableShape& t) { return t.part == part && t.table == table; });
  if (at == all_.end()) return std::nullopt;
  return static_cast<std::size_t>(at - all_.begin());
}

std::vector<std::string> DatasetTables::paths() const {
  std::vector<std::string> paths;
  for (const TableShape& table : all_) paths.push_back(table.path());
  return paths;
}

PartSizes rows_in(const hdf5::File& file) {
  return lengths_of(file, Table::row_numbers, hdf5::Type::u64);
}

PartSizes entries_in(const hdf5::File& file) {
  return lengths_of(file, Table::indices, hdf5::Type::u32);
}

std::vector<SealedTable> find_tables(const hdf5::File& file, const DatasetTables& tables, bool encrypted) {
  const bool version_1 = version_of(file) == 1;
  std::vector<SealedTable> found;
  for (const TableShape& table : tables.all()) {
    hdf5::Shape shape;
    found.push_back(
        version_1 ? without_checksums(file, table, shape)
                  : find_sealed_table(file, table.path(), table.type, table.shape.size(), encrypted, &shape));
    if (shape != table.shape)
      throw Error(fmt::format("{}: '{}' is of {}, where the schema and the other tables say {}",
                              file.path().string(), table.path(), fmt::join(shape, " x "),
                              fmt::join(table.shape, " x ")));
  }
  return found;
}

void write_about(const hdf5::File& file, const Schema& schema, const Encoding& encoding,
                 const std::string& provenance) {
  write_schema(file, schema);
  write_encoding(file, encoding);
  file.write_text("provenance", provenance);
}

std::string content_hash(const hdf5::File& about, const DatasetTables& tables,
                         const std::vector<Digest>& digests) {
  Packer packer;
  packer.put(std::string("kernmill-dataset content 3"));
  packer.put(description_of(about, "schema", {"schema/source"}));
  packer.put(description_of(about, "encoding", {}));
  for (std::size_t i = 0; i < tables.all().size(); ++i) {
    const TableShape& table = tables.all()[i];
    packer.put(table.path());
    packer.put(hdf5::described(table.type));
    packer.put(table.shape);
    packer.put(digests.at(i));
  }
  const std::string bytes = packer.take();
  return hexadecimal(digest_of(std::as_bytes(std::span(bytes))));
}

}  // namespace kernmill::storage
