#include "kernmill/workflow/settings/settings.hpp"

// The settings of preprocess, but for what it reads.

namespace kernmill {
namespace {

using T = SettingType;

Setting stratify() {
  return {.name = "stratify", .type = T::boolean, .doc = "the same share of each class", .fallback = false};
}

Setting group() {
  return {.name = "group",
          .type = T::text,
          .doc = "a column: rows with the same value stay together, and the shares are those of its values",
          .fallback = ""};
}

const Variant& split_variant() {
  static const Variant variant{"'split'",
                               {{"none", "every row is a training row", {"'split'", {}}},
                                {"every",
                                 "test rows are those with i % every == offset (i counts data rows from 0)",
                                 {"a split by row number",
                                  {{.name = "every",
                                    .type = T::integer,
                                    .doc = "the period",
                                    .required = true,
                                    .aliases = {"folds"},
                                    .range = {.low = 2}},
                                   {.name = "offset",
                                    .type = T::integer,
                                    .doc = "which row of each period",
                                    .fallback = 0,
                                    .aliases = {"fold"},
                                    .range = not_negative},
                                   {.name = "seed",
                                    .type = T::integer,
                                    .doc = "shuffles the rows first: random folds",
                                    .fallback_doc = "the order of the input",
                                    .range = not_negative},
                                   stratify(),
                                   group()}},
                                 {"every", "folds", "offset", "fold"}},
                                {"chronological",
                                 "the first rows train, the next validate, the last test",
                                 {"a chronological split",
                                  {{.name = "order",
                                    .type = T::text,
                                    .doc = "makes the split chronological",
                                    .choices = {"chronological"},
                                    .transient = true},
                                   {.name = "train",
                                    .type = T::real,
                                    .doc = "share of the rows, from the beginning",
                                    .required = true,
                                    .range = {.low = 0, .high = 1, .low_open = true, .high_open = true}},
                                   {.name = "validation",
                                    .type = T::real,
                                    .doc = "share of the rows after those",
                                    .fallback = 0.0,
                                    .range = fraction},
                                   {.name = "test",
                                    .type = T::real,
                                    .doc = "share of the last rows",
                                    .fallback_doc = "the rest",
                                    .range = fraction}}},
                                 {"order", "train"}},
                                {"random",
                                 "rows drawn at random",
                                 {"a random split",
                                  {{.name = "test",
                                    .type = T::real,
                                    .doc = "share of the rows for the test",
                                    .fallback = 0.2,
                                    .range = fraction},
                                   {.name = "validation",
                                    .type = T::real,
                                    .doc = "share of the rows for validation",
                                    .fallback = 0.0,
                                    .range = fraction},
                                   stratify(),
                                   group(),
                                   seed_setting()}},
                                 {"test", "validation", "stratify", "group", "seed"}}},
                               "none"};
  return variant;
}

const Table& target_table() {
  static const Table table{"'target'",
                           {{.name = "column", .type = T::text, .doc = "the column's name", .required = true},
                            {.name = "type",
                             .type = T::text,
                             .doc = "`auto`: text is a class, so are whole numbers; else a number",
                             .fallback = "auto",
                             .choices = {"auto", "class", "number"}}},
                           "column"};
  return table;
}

const Table& series_table() {
  static const Table table{"'series'",
                           {{.name = "transform",
                             .type = T::text,
                             .doc = "what is done to each column first",
                             .fallback = "none",
                             .choices = {"log_return", "difference", "none"}},
                            {.name = "window",
                             .type = T::integer,
                             .doc = "how many past rows make a sample",
                             .fallback = 10,
                             .range = at_least_one},
                            {.name = "lags",
                             .type = T::integer_list,
                             .doc = "which past rows of the window are features, 0 is the last one; empty: "
                                    "all",
                             .fallback = Json::array(),
                             .range = not_negative},
                            {.name = "horizon",
                             .type = T::integer,
                             .doc = "how many rows ahead the target lies",
                             .fallback = 1,
                             .range = at_least_one},
                            {.name = "columns",
                             .type = T::text_list,
                             .doc = "the columns; empty: all numeric ones",
                             .fallback = Json::array()}}};
  return table;
}

const Table& impute_table() {
  static const Table table{
      "'impute'",
      {{.name = "with",
        .type = T::text,
        .doc = "what takes the place of a missing value, fitted on the training rows; a category takes the "
               "most frequent one where a mean or a median is asked for",
        .fallback = "none",
        .choices = {"none", "mean", "median", "most_frequent", "constant"}},
       {.name = "value", .type = T::text, .doc = "the constant", .fallback = ""},
       {.name = "indicator",
        .type = T::boolean,
        .doc = "add a feature that is 1 where the value was missing, else 0",
        .fallback = false}},
      "with"};
  return table;
}

const Table& encode_table() {
  static const Table table{
      "'encode'",
      {{.name = "as",
        .type = T::text,
        .doc = "`one_hot`: a feature for each category, of at most 10000; `ordinal`: its number in sorted "
               "order; `none`: every feature has to be a number",
        .fallback = "none",
        .choices = {"none", "one_hot", "ordinal"}},
       {.name = "unknown",
        .type = T::text,
        .doc = "a category that no training row has: an error, or zeros (one_hot) and -1 (ordinal)",
        .fallback = "error",
        .choices = {"error", "ignore"}}},
      "as"};
  return table;
}

const std::vector<std::string>& scalings() {
  static const std::vector<std::string> all{"none", "standard", "min_max", "robust"};
  return all;
}

const Table& column_table() {
  static const Table table{
      "'columns'",
      {{.name = "type",
        .type = T::text,
        .doc = "what its values are; `auto`: a category where they are encoded and none is a number",
        .fallback = "auto",
        .choices = {"auto", "number", "category"}},
       {.name = "rename", .type = T::text, .doc = "what the feature is called", .fallback = ""},
       {.name = "impute",
        .type = T::table,
        .doc = "of this column",
        .fallback_doc = "the stage's",
        .table = &impute_table()},
       {.name = "encode",
        .type = T::table,
        .doc = "for this column, which then is a category",
        .fallback_doc = "the stage's",
        .table = &encode_table()},
       {.name = "scale",
        .type = T::text,
        .doc = "of this column",
        .fallback_doc = "the stage's",
        .choices = scalings()}}};
  return table;
}

std::vector<Setting> column_settings() {
  return {
      {.name = "target",
       .type = T::table,
       .doc = "the column to predict; without it, learning is unsupervised",
       .fallback = Json(nullptr),
       .table = &target_table()},
      {.name = "sample_weight",
       .type = T::text,
       .doc = "a column of numbers of 0 and more, no feature: how much a row counts when a model is trained",
       .fallback_doc = "each row counts once",
       .aliases = {"weight", "weights"}},
      {.name = "features",
       .type = T::text_list,
       .doc = "the columns to learn from; empty: all but `target`, `sample_weight`, `split.group` and `drop`",
       .fallback = Json::array()},
      {.name = "drop", .type = T::text_list, .doc = "columns to leave out", .fallback = Json::array()},
      {.name = "impute",
       .type = T::table,
       .doc = "what takes the place of missing values; without it, they are bad values (see `on_bad_row`)",
       .fallback = Json::object(),
       .table = &impute_table()},
      {.name = "encode",
       .type = T::table,
       .doc = "how categories become numbers",
       .fallback = Json::object(),
       .table = &encode_table()},
      {.name = "scale",
       .type = T::text,
       .doc = "`standard`: mean 0 and deviation 1; `min_max`: 0 to 1; `robust`: median 0 and "
              "interquartile range 1; fitted on the training rows, for columns of numbers",
       .fallback = "none",
       .choices = scalings()},
      {.name = "precision",
       .type = T::text,
       .doc =
           "how features lie in the dataset; `auto`: what loses nothing of the input (bytes of images stay "
           "bytes, and float32 stays float32; numbers of text are float64, zeros and ones are bytes); any "
           "other: all of them as that",
       .fallback = "auto",
       .choices = {"auto", "float64", "float32", "float16", "bfloat16", "int32", "uint8"}},
      {.name = "sparse",
       .type = T::text,
       .doc = "whether rows of LIBSVM input are kept as what is not 0; `auto`: where they have more than 50 "
              "columns and less than 10 % of them is not 0, unless a setting needs whole rows",
       .fallback = "auto",
       .choices = {"auto", "true", "false"}},
      {.name = "columns",
       .type = T::table_map,
       .doc = "settings of single columns that differ from the stage's",
       .fallback = Json::object(),
       .table = &column_table()}};
}

std::vector<Setting> row_settings() {
  return {
      {.name = "split",
       .type = T::variant,
       .doc = "which rows are kept for validation and test",
       .fallback = Json::object(),
       .variant = &split_variant()},
      {.name = "balance",
       .type = T::text,
       .doc = "makes the classes of the training rows equally frequent: `oversample` repeats rows, "
              "`undersample` leaves some out",
       .fallback = "none",
       .choices = {"none", "oversample", "undersample"}},
      {.name = "shuffle", .type = T::boolean, .doc = "the training rows in random order", .fallback = false},
      {.name = "seed",
       .type = T::integer,
       .doc = "seed of `shuffle` and `balance`",
       .fallback = 0,
       .range = not_negative},
      {.name = "series",
       .type = T::table,
       .doc = "the rows are a time series; samples are windows over it",
       .fallback = Json(nullptr),
       .table = &series_table()}};
}

}  // namespace

const Table& preprocess_settings() {
  static const Table table = [] {
    Table all{"a preprocess stage", input_settings()};
    for (auto more : {column_settings(), row_settings()})
      all.settings.insert(all.settings.end(), more.begin(), more.end());
    return all;
  }();
  return table;
}

}  // namespace kernmill
