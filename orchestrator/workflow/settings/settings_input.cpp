#include "kernmill/workflow/settings/settings.hpp"

// The settings of the tasks that read raw data: what they read, and all of deploy.

namespace kernmill {
namespace {

using T = SettingType;

using Settings = std::vector<Setting>;

/// How a file is read.
Settings reading() {
  return {
      {.name = "format",
       .type = T::text,
       .doc = "what the input is; `auto`: its name tells (.csv .tsv .svm .npy .h5 ...-ubyte, each also "
              "with .gz)",
       .fallback = "auto",
       .choices = {"auto", "csv", "tsv", "libsvm", "idx", "npy", "hdf5"}},
      {.name = "delimiter",
       .type = T::text,
       .doc = "one character between fields; `auto`: a tab in .tsv files, else a comma, or `;` with a "
              "decimal comma",
       .fallback = "auto"},
      {.name = "decimal",
       .type = T::text,
       .doc = "of CSV: the sign in front of the decimals, a point or a comma (3,14)",
       .fallback = ".",
       .choices = {".", ","}},
      {.name = "header", .type = T::boolean, .doc = "the first line names the columns", .fallback = true},
      {.name = "datasets",
       .type = T::text_list,
       .doc = "for an HDF5 file: the datasets to read, with their columns side by side; empty: all those at "
              "its root with one or two dimensions",
       .fallback = Json::array()},
      {.name = "external_files",
       .type = T::boolean,
       .doc = "for an HDF5 file that you trust: its data may lie in other files (external storage, links, "
              "virtual datasets), and its filters may be plug-ins, whose code is run",
       .fallback = false},
      {.name = "max_expansion",
       .type = T::integer,
       .doc = "how many times its own size a gzip file may expand to; one that expands to more, and to more "
              "than 64 MiB, is refused",
       .fallback = 100,
       .range = at_least_one}};
}

/// The settings before, those of reading, and those behind.
Settings with_reading(Settings before, const Settings& behind) {
  for (const Settings& more : {reading(), behind}) before.insert(before.end(), more.begin(), more.end());
  return before;
}

Setting missing() {
  return {.name = "missing",
          .type = T::text_list,
          .doc = "texts that mean a missing value, besides an empty field, NA, N/A, NaN, null and None",
          .fallback = Json::array()};
}

Setting on_bad_row(std::string doc) {
  return {.name = "on_bad_row",
          .type = T::text,
          .doc = std::move(doc),
          .fallback = "error",
          .choices = {"error", "skip", "impute"}};
}

Setting buffer() {
  return {.name = "buffer",
          .type = T::memory,
          .doc = "memory that a rank uses for rows; more of them go through a scratch file",
          .fallback = "512M"};
}

Setting labels() {
  return {.name = "labels",
          .type = T::reference,
          .doc = "for IDX and npy input: the file of the labels, which becomes the column `label`",
          .artifact = "csv"};
}

}  // namespace

std::vector<Setting> input_settings() {
  return with_reading(
      {{.name = "input",
        .type = T::reference,
        .doc = "the file to read, or a pattern such as data/part-*.csv for many with the same columns",
        .required = true,
        .artifact = "csv"}},
      {labels(), missing(),
       on_bad_row(
           "`skip` leaves bad rows out and lists them in rejected.csv; `impute` takes a bad value for a "
           "missing one"),
       buffer()});
}

const Table& deploy_settings() {
  static const Table table{
      "a deploy stage",
      with_reading(
          {{.name = "model",
            .type = T::reference,
            .doc = "the model that predicts",
            .required = true,
            .artifact = "model"},
           {.name = "input",
            .type = T::reference,
            .doc = "the file to predict for, or a pattern for many",
            .required = true,
            .artifact = "csv"}},
          {missing(),
           on_bad_row("`skip` writes bad rows to rejected.csv; `impute` takes a bad value for a missing one"),
           buffer(),
           {.name = "probabilities",
            .type = T::boolean,
            .doc = "write a column p_<class> for each class, too",
            .fallback = false}})};
  return table;
}

const Table& evaluate_settings() {
  static const Table table{
      "an evaluate stage",
      with_reading(
          {{.name = "model",
            .type = T::reference,
            .doc = "the model to judge",
            .required = true,
            .artifact = "model"},
           {.name = "data",
            .type = T::reference,
            .doc = "the dataset to judge it on; or `input`",
            .artifact = "dataset"},
           {.name = "split",
            .type = T::text,
            .doc = "which rows of the dataset",
            .fallback = "test",
            .choices = {"test", "train", "validation", "all"}},
           {.name = "input",
            .type = T::reference,
            .doc = "in place of `data`: a file with the target column, or a pattern for many, to be prepared "
                   "as the model's training data were; the keys below say how it is read",
            .artifact = "csv"}},
          {labels(), missing(),
           on_bad_row("`skip` writes bad rows to rejected.csv, and judges the others; `impute` takes a bad "
                      "value for a missing one"),
           buffer()})};
  return table;
}

}  // namespace kernmill
