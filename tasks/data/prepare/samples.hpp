#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/prepare/settings.hpp"
#include "kernmill/tasks/data/read/input.hpp"

namespace kernmill::tasks {

/// Where what lies in a row of Samples.
struct SampleLayout {
  std::size_t inputs = 0;   ///< how many; they come first
  std::size_t targets = 0;  ///< how many; they come next
  bool levels = false;      ///< of a series: those before the targets, then those at them
  bool grouped = false;     ///< the code of the row's group
  bool weighted = false;    ///< the row's weight
  [[nodiscard]] std::size_t target() const { return inputs; }
  [[nodiscard]] std::size_t before() const { return target() + targets; }
  [[nodiscard]] std::size_t at() const { return before() + (levels ? targets : 0); }
  [[nodiscard]] std::size_t group() const { return at() + (levels ? targets : 0); }
  [[nodiscard]] std::size_t weight() const { return group() + (grouped ? 1 : 0); }
  [[nodiscard]] std::size_t number() const { return weight() + (weighted ? 1 : 0); }
  [[nodiscard]] std::size_t width() const { return number() + 1; }
};

/// A rank's samples, in the order of the input; the ranks' samples follow each other. A category, a class and
/// a group are indices into sorted lists, the same on every rank.
struct Samples {
  SampleLayout layout;
  RowStore rows;  ///< the row's number among all rows is its last value
  std::uint64_t first = 0, total = 0;
  std::uint64_t read_rows = 0;                       ///< of the input, rejected ones included
  std::uint64_t imputed = 0;                         ///< bad values of this rank that count as missing
  std::vector<RejectedRow> rejected;                 ///< this rank's
  std::vector<std::vector<std::string>> categories;  ///< by input; none for a number
  std::size_t groups = 0;
  [[nodiscard]] std::uint64_t count() const { return rows.rows(); }
};

/// What is done to one input column.
struct ColumnPlan {
  std::string name, renamed;
  storage::ColumnType type = storage::ColumnType::number;
  ImputeSettings impute{};
  EncodeSettings encode{};
  Scale scale = Scale::none;
};

/// Collective. What the settings say of each feature column, its type inferred where it is not said.
std::vector<ColumnPlan> plan_columns(const Communicator& comm, const Input& input,
                                     const PreprocessSettings& settings,
                                     const std::vector<std::string>& features);

/// Collective. Reads the input and makes samples of it: a sample a row, or windows over a series. Fills in
/// the schema's inputs (names and types), target, classes and series, and `plans`.
Samples read_samples(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
                     const Buffer& buffer, storage::Schema& schema, std::vector<ColumnPlan>& plans);

/// Collective. The same without any feature: a sample a row.
Samples read_targets(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
                     const Buffer& buffer, storage::Schema& schema);

}  // namespace kernmill::tasks
