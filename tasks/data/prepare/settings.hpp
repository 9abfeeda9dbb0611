#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/tasks/data/prepare/series_transform.hpp"
#include "kernmill/tasks/data/read/input.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

enum class Impute { none, mean, median, most_frequent, constant };

struct ImputeSettings {
  Impute with = Impute::none;
  std::string value{};  ///< the constant
  bool indicator = false;
};

enum class Encode { none, one_hot, ordinal };

struct EncodeSettings {
  Encode as = Encode::none;
  bool unknown_is_fine = false;  ///< a category that no training row has
};

enum class Scale { none, standard, min_max, robust };

/// How features lie in the dataset; nothing: as their values need it.
using Precision = std::optional<storage::Element>;

enum class Sparse { automatic, always, never };

enum class ColumnValues { automatic, number, category };

/// What is different for one column: what is not set is as for all.
struct ColumnSettings {
  ColumnValues type = ColumnValues::automatic;
  std::string rename;  ///< empty: it keeps its name
  std::optional<ImputeSettings> impute;
  std::optional<EncodeSettings> encode;
  std::optional<Scale> scale;
};

enum class TargetType { automatic, classes, number };

struct TargetSettings {
  std::string column;
  TargetType type = TargetType::automatic;
};

enum class SplitType { none, every, chronological, random };

/// Which rows are for validation and test; split.hpp says how.
struct SplitSettings {
  SplitType type = SplitType::none;
  double train = 0, validation = 0, test = 0;  ///< shares; chronological: the test part is the rest
  std::uint64_t every = 0, offset = 0;
  std::optional<std::uint64_t> seed;  ///< every: none keeps the order of the input; random: always there
  bool stratify = false;
  std::string group;  ///< a column; empty: none
};

enum class Balance { none, oversample, undersample };

/// Samples are windows over the rows.
struct SeriesSettings {
  SeriesTransform transform = SeriesTransform::none;
  std::uint32_t window = 0, horizon = 0;
  std::vector<std::uint32_t> lags;   ///< empty: all rows of the window
  std::vector<std::string> columns;  ///< empty: `features`
};

/// A preprocess stage's config, but for what says how the input is to be read (open_input).
struct PreprocessSettings {
  std::uint64_t buffer = 0;  ///< bytes
  std::vector<std::string> missing;
  OnBadRow on_bad_row = OnBadRow::error;
  std::optional<TargetSettings> target;
  std::string weight;                       ///< the column of the rows' weights; empty: none
  std::vector<std::string> features, drop;  ///< no features: all that are left
  ImputeSettings impute;
  EncodeSettings encode;
  Scale scale = Scale::none;
  Precision precision{};
  Sparse sparse = Sparse::automatic;
  std::vector<std::pair<std::string, ColumnSettings>> columns;  ///< in the order of the settings
  SplitSettings split;
  Balance balance = Balance::none;
  bool shuffle = false;
  std::uint64_t seed = 0;  ///< of balance and shuffle
  std::optional<SeriesSettings> series;

  /// What is different for that column; null: nothing.
  [[nodiscard]] const ColumnSettings* column(const std::string& name) const;
};

/// Throws SpecError: which setting is missing or unusable.
PreprocessSettings read_preprocess_settings(const Json& config);

}  // namespace kernmill::tasks
