#include "words.hpp"

#include <map>

namespace kernmill::testing {
namespace {

using storage::Part;

/// Knuth's linear congruential generator (MMIX): 31 bits at a time.
class Draw {
 public:
  std::uint64_t operator()() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return state_ >> 33U;
  }

 private:
  std::uint64_t state_ = 2026;
};

double weight_of(std::uint32_t column) {
  return static_cast<double>(std::uint64_t{column} * 2654435761ULL % 1000) / 500 - 1;
}

std::map<std::uint32_t, double> draw_row(Draw& draw, std::uint64_t features) {
  std::map<std::uint32_t, double> row;
  for (std::uint64_t left = 5 + draw() % 20; left > 0; --left) {
    const double x = static_cast<double>(draw()) / 2147483648.0;
    const auto column = static_cast<std::uint32_t>(static_cast<double>(features) * (x * x * x));
    row[column] = static_cast<double>(1 + draw() % 8) / 8;
  }
  return row;
}

storage::Schema schema_of(const Words& words, WordTarget target) {
  storage::Schema schema;
  for (std::uint64_t i = 1; i <= words.features; ++i) schema.features.push_back("f" + std::to_string(i));
  schema.inputs = storage::numbers_named(schema.features);
  schema.target = "label";
  schema.source = "words.svm";
  if (target == WordTarget::classes) {
    schema.target_kind = storage::TargetKind::classes;
    schema.classes = {"a", "b", "c"};
  } else {
    schema.target_kind = storage::TargetKind::numbers;
    schema.target_names = {"label"};
  }
  return schema;
}

/// The rows of a part, as a dataset takes them.
struct OfPart {
  storage::SparseRows rows;
  std::vector<double> target, dense;
  std::vector<std::uint64_t> numbers;
};

OfPart part_of_words(const Words& words, WordTarget target, Part part, bool dense) {
  OfPart out;
  for (std::uint64_t i = 0; i < words.rows.rows(); ++i) {
    if ((i % 5 == 4) != (part == Part::test) || part == Part::validation) continue;
    out.numbers.push_back(i);
    out.target.push_back(target == WordTarget::classes ? words.classes[i] : words.numbers[i]);
    if (dense) out.dense.resize(out.numbers.size() * words.features, 0.0);
    for (std::uint64_t e = words.rows.begins[i]; e < words.rows.begins[i + 1]; ++e) {
      out.rows.columns.push_back(words.rows.columns[e]);
      out.rows.values.push_back(words.rows.values[e]);
      if (dense)
        out.dense[(out.numbers.size() - 1) * words.features + words.rows.columns[e]] = words.rows.values[e];
    }
    out.rows.begins.push_back(out.rows.columns.size());
  }
  return out;
}

}  // namespace

Words make_words(std::uint64_t rows, std::uint64_t features) {
  Words words;
  words.features = features;
  Draw draw;
  for (std::uint64_t i = 0; i < rows; ++i) {
    double score = 0;
    for (const auto& [column, value] : draw_row(draw, features)) {
      words.rows.columns.push_back(column);
      words.rows.values.push_back(value);
      score += weight_of(column) * value;
    }
    words.rows.begins.push_back(words.rows.columns.size());
    words.numbers.push_back(2 * score + static_cast<double>(draw() % 100) / 100);
    score += static_cast<double>(draw() % 100) / 100 - 0.5;
    words.classes.push_back(score < -0.5 ? 0 : score < 0.5 ? 1 : 2);
  }
  return words;
}

void write_words(const tasks::Communicator& comm, const std::filesystem::path& file, const Words& words,
                 const storage::Encoding& encoding, WordTarget target) {
  storage::PartSizes sizes{}, entries{};
  std::vector<OfPart> parts;
  for (const Part part : storage::all_parts) {
    parts.push_back(part_of_words(words, target, part, !encoding.sparse));
    sizes[parts.size() - 1] = parts.back().numbers.size();
    entries[parts.size() - 1] = encoding.sparse ? parts.back().rows.values.size() : 0;
  }
  storage::WriteOptions options;
  options.encoding = encoding;
  options.entries = entries;
  storage::DatasetWriter writer(comm.handle(), file, schema_of(words, target), sizes, options);
  for (const Part part : storage::all_parts) {
    OfPart rows = comm.is_root() ? parts[static_cast<std::size_t>(part)] : OfPart{};
    if (encoding.sparse) {
      writer.write_sparse(part, 0, 0, rows.rows, rows.target, rows.numbers);
    } else {
      writer.write(part, 0, rows.dense, rows.target, rows.numbers);
    }
  }
  writer.commit();
}

}  // namespace kernmill::testing
