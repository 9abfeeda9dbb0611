#include "kernmill/tasks/data/prepare/settings.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

template <class Enum, std::size_t n>
using Words = std::array<std::pair<std::string_view, Enum>, n>;

constexpr Words<Impute, 5> impute_words{{{"none", Impute::none},
                                         {"mean", Impute::mean},
                                         {"median", Impute::median},
                                         {"most_frequent", Impute::most_frequent},
                                         {"constant", Impute::constant}}};
constexpr Words<Encode, 3> encode_words{
    {{"none", Encode::none}, {"one_hot", Encode::one_hot}, {"ordinal", Encode::ordinal}}};
constexpr Words<bool, 2> unknown_words{{{"error", false}, {"ignore", true}}};
constexpr Words<Scale, 4> scale_words{{{"none", Scale::none},
                                       {"standard", Scale::standard},
                                       {"min_max", Scale::min_max},
                                       {"robust", Scale::robust}}};
constexpr Words<Precision, 7> precision_words{{{"auto", std::nullopt},
                                               {"float64", storage::Element::f64},
                                               {"float32", storage::Element::f32},
                                               {"float16", storage::Element::f16},
                                               {"bfloat16", storage::Element::bf16},
                                               {"int32", storage::Element::i32},
                                               {"uint8", storage::Element::u8}}};
constexpr Words<Sparse, 3> sparse_words{
    {{"auto", Sparse::automatic}, {"true", Sparse::always}, {"false", Sparse::never}}};
constexpr Words<ColumnValues, 3> column_words{{{"auto", ColumnValues::automatic},
                                               {"number", ColumnValues::number},
                                               {"category", ColumnValues::category}}};
constexpr Words<TargetType, 3> target_words{
    {{"auto", TargetType::automatic}, {"class", TargetType::classes}, {"number", TargetType::number}}};
constexpr Words<SplitType, 4> split_words{{{"none", SplitType::none},
                                           {"every", SplitType::every},
                                           {"chronological", SplitType::chronological},
                                           {"random", SplitType::random}}};
constexpr Words<Balance, 3> balance_words{
    {{"none", Balance::none}, {"oversample", Balance::oversample}, {"undersample", Balance::undersample}}};

template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;

/// Whether the value is a T: no number is cut off, wrapped around or made of a boolean.
template <class T>
bool holds(const Json& value) {
  if constexpr (is_list<T>) {
    return value.is_array() && std::all_of(value.begin(), value.end(), holds<typename T::value_type>);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value.is_boolean();
  } else if constexpr (std::is_unsigned_v<T>) {
    return value.is_number_integer() && (value.is_number_unsigned() || value.get<std::int64_t>() >= 0) &&
           value.get<std::uint64_t>() <= std::numeric_limits<T>::max();
  } else if constexpr (std::is_floating_point_v<T>) {
    return value.is_number();
  } else {
    return value.is_string();
  }
}

/// A setting, and its full name for errors. (The dotted names of support/spec.hpp cannot tell a setting of a
/// column whose name has dots.)
class Located {
 public:
  Located(const Json& value, std::string name) : value_(&value), name_(std::move(name)) {}

  [[nodiscard]] bool is_null() const { return value_->is_null(); }
  [[nodiscard]] bool has(const char* key) const { return value_->contains(key); }
  [[nodiscard]] Located at(const std::string& key) const {
    const std::string whole = name_.empty() ? key : fmt::format("{}.{}", name_, key);
    if (!value_->is_object() || !value_->contains(key))
      throw SpecError(fmt::format("spec.json: the setting '{}' is missing", whole));
    return {value_->at(key), whole};
  }
  [[nodiscard]] std::vector<std::pair<std::string, Located>> entries() const {
    if (!value_->is_object()) refuse_type();
    std::vector<std::pair<std::string, Located>> all;
    for (const auto& [key, ignored] : value_->items()) all.emplace_back(key, at(key));
    return all;
  }

  template <class T>
  [[nodiscard]] T as() const {
    if (!holds<T>(*value_)) refuse_type();
    return value_->get<T>();
  }
  template <class T>
  [[nodiscard]] T as_positive() const {
    const T value = as<T>();
    if (value == 0) throw SpecError(fmt::format("spec.json: setting '{}' is 0", name_));
    return value;
  }
  template <class Enum, std::size_t n>
  [[nodiscard]] Enum as_one_of(const Words<Enum, n>& words) const {
    const auto text = as<std::string>();
    std::vector<std::string_view> known;
    for (const auto& [word, meaning] : words) {
      if (text == word) return meaning;
      known.push_back(word);
    }
    throw SpecError(fmt::format("spec.json: setting '{}' is '{}', which is none of {}", name_, text,
                                fmt::join(known, ", ")));
  }

 private:
  [[noreturn]] void refuse_type() const {
    throw SpecError(fmt::format("spec.json: setting '{}' is {}, which is not of the type that it should have",
                                name_, value_->dump()));
  }

  const Json* value_;
  std::string name_;
};

ImputeSettings read_impute(const Located& impute) {
  return {impute.at("with").as_one_of(impute_words), impute.at("value").as<std::string>(),
          impute.at("indicator").as<bool>()};
}

EncodeSettings read_encode(const Located& encode) {
  return {encode.at("as").as_one_of(encode_words), encode.at("unknown").as_one_of(unknown_words)};
}

ColumnSettings read_column(const Located& column) {
  ColumnSettings settings;
  if (column.has("type")) settings.type = column.at("type").as_one_of(column_words);
  if (column.has("rename")) settings.rename = column.at("rename").as<std::string>();
  if (column.has("impute")) settings.impute = read_impute(column.at("impute"));
  if (column.has("encode")) settings.encode = read_encode(column.at("encode"));
  if (column.has("scale")) settings.scale = column.at("scale").as_one_of(scale_words);
  return settings;
}

TargetSettings read_target(const Located& target) {
  return {target.at("column").as<std::string>(), target.at("type").as_one_of(target_words)};
}

/// What the shares are taken of: each class, or groups.
void read_strata(const Located& split, SplitSettings& settings) {
  settings.stratify = split.at("stratify").as<bool>();
  settings.group = split.at("group").as<std::string>();
}

SplitSettings read_split(const Located& split) {
  SplitSettings settings;
  settings.type = split.at("type").as_one_of(split_words);
  switch (settings.type) {
    case SplitType::none:
      break;
    case SplitType::every:
      settings.every = split.at("every").as_positive<std::uint64_t>();
      settings.offset = split.at("offset").as<std::uint64_t>();
      if (split.has("seed")) settings.seed = split.at("seed").as<std::uint64_t>();
      read_strata(split, settings);
      break;
    case SplitType::chronological:
      settings.train = split.at("train").as<double>();
      settings.validation = split.at("validation").as<double>();
      break;
    case SplitType::random:
      settings.test = split.at("test").as<double>();
      settings.validation = split.at("validation").as<double>();
      settings.seed = split.at("seed").as<std::uint64_t>();
      read_strata(split, settings);
      break;
  }
  return settings;
}

SeriesSettings read_series(const Located& series) {
  SeriesSettings settings;
  settings.transform = series.at("transform").as_one_of(series_transforms);
  settings.window = series.at("window").as_positive<std::uint32_t>();
  settings.horizon = series.at("horizon").as_positive<std::uint32_t>();
  settings.lags = series.at("lags").as<std::vector<std::uint32_t>>();
  settings.columns = series.at("columns").as<std::vector<std::string>>();
  return settings;
}

}  // namespace

const ColumnSettings* PreprocessSettings::column(const std::string& name) const {
  for (const auto& [known, settings] : columns)
    if (known == name) return &settings;
  return nullptr;
}

PreprocessSettings read_preprocess_settings(const Json& config) {
  const Located all(config, "");
  using Names = std::vector<std::string>;
  PreprocessSettings settings;
  settings.buffer = all.at("buffer").as<std::uint64_t>();
  settings.missing = all.at("missing").as<Names>();
  settings.on_bad_row = on_bad_row_of(all.at("on_bad_row").as<std::string>());
  if (const Located target = all.at("target"); !target.is_null()) settings.target = read_target(target);
  if (all.has("sample_weight"))  // not there in runs from before
    settings.weight = all.at("sample_weight").as<std::string>();
  settings.features = all.at("features").as<Names>();
  settings.drop = all.at("drop").as<Names>();
  settings.impute = read_impute(all.at("impute"));
  settings.encode = read_encode(all.at("encode"));
  settings.scale = all.at("scale").as_one_of(scale_words);
  settings.precision = all.at("precision").as_one_of(precision_words);
  settings.sparse = all.at("sparse").as_one_of(sparse_words);
  for (const auto& [name, column] : all.at("columns").entries())
    settings.columns.emplace_back(name, read_column(column));
  settings.split = read_split(all.at("split"));
  settings.balance = all.at("balance").as_one_of(balance_words);
  settings.shuffle = all.at("shuffle").as<bool>();
  settings.seed = all.at("seed").as<std::uint64_t>();
  if (const Located series = all.at("series"); !series.is_null()) settings.series = read_series(series);
  return settings;
}

}  // namespace kernmill::tasks
