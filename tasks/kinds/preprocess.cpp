#include <cstdio>

#include <fmt/format.h>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/data/prepare/arrange.hpp"
#include "kernmill/tasks/data/prepare/choose_encoding.hpp"
#include "kernmill/tasks/data/prepare/fit.hpp"
#include "kernmill/tasks/data/prepare/locate_row.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"
#include "kernmill/tasks/data/prepare/series.hpp"
#include "kernmill/tasks/data/prepare/settings.hpp"
#include "kernmill/tasks/data/prepare/sparse_samples.hpp"
#include "kernmill/tasks/data/prepare/split.hpp"
#include "kernmill/tasks/data/prepare/transform.hpp"
#include "kernmill/tasks/data/prepare/unknown_category.hpp"
#include "kernmill/tasks/data/prepare/untrained_classes.hpp"
#include "kernmill/tasks/data/prepare/write_dataset.hpp"
#include "kernmill/tasks/data/prepare/write_sparse.hpp"
#include "kernmill/tasks/data/read/rejected.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/support/program.hpp"

namespace kernmill::tasks {
namespace {

/// What the dataset was made of. Nothing that does not change it: equal content makes equal files.
std::string provenance_of(const Spec& spec, const Prepared& prepared) {
  Json settings = spec.config;
  settings.erase("buffer");
  return Json{{"program", program()},
              {"source", prepared.schema.source},
              {"rows", prepared.samples.total},
              {"settings", std::move(settings)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);  // a file's name may be of any bytes
}

void write_dataset(const Communicator& comm, const Spec& spec, const PreprocessSettings& settings,
                   const Prepared& prepared, const storage::PartSizes& sizes, const Buffer& buffer) {
  storage::WriteOptions options;
  options.key = spec.key;
  options.provenance = provenance_of(spec, prepared);
  options.encoding = prepared.encoding;
  options.transport = spec.transport;
  if (prepared.encoding.sparse) {
    options.entries = count_entries(prepared);
    comm.allreduce(std::span<std::uint64_t>(options.entries), Reduction::sum);
  }
  storage::DatasetWriter dataset(comm.handle(), spec.output_directory / "dataset.h5", prepared.schema, sizes,
                                 options);
  const auto seed = settings.shuffle ? std::optional(settings.seed) : std::nullopt;
  if (prepared.encoding.sparse)
    write_sparse_rows(comm, prepared, seed, buffer, dataset);
  else
    write_rows(comm, prepared, seed, buffer, dataset);
  if (agree_to_stop(comm)) throw Stopped{};
  dataset.commit();
}

std::string described(const storage::Schema& schema, std::uint64_t rows, const storage::PartSizes& sizes) {
  std::string target = "no target";
  if (schema.target_kind == storage::TargetKind::numbers)
    target = fmt::format("{} numeric target{}", schema.target_names.size(),
                         schema.target_names.size() == 1 ? "" : "s");
  if (schema.target_kind == storage::TargetKind::classes)
    target = fmt::format("{} classes", schema.classes.size());
  if (!schema.weight.empty()) target += fmt::format(", weighted by '{}'", schema.weight);
  return fmt::format("{}: {} rows, {} features, {}: {} train, {} validation, {} test\n", schema.source, rows,
                     schema.features.size(), target, sizes[0], sizes[1], sizes[2]);
}

/// The features of a series are windows: what there is to do with them is the same for all.
std::vector<ColumnPlan> plans_of_windows(const storage::Series& series, Scale scale) {
  std::vector<ColumnPlan> plans;
  for (const auto& name : window_feature_names(series)) {
    ColumnPlan& plan = plans.emplace_back();
    plan.name = name;
    plan.scale = scale;
  }
  return plans;
}

void require_distinct(const std::vector<std::string>& names) {
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    throw TaskError(fmt::format("two features are called '{}'", *twice), {}, "rename one of the columns");
}

/// Where it is that a feature does not fit the type that is asked for.
[[noreturn]] void refuse_misfit(const Communicator& comm, const Input& input,
                                const PreprocessSettings& settings, const Transform::Feature& feature,
                                const Misfit& misfit, storage::Element type, const std::string& column) {
  const char* const help = "choose another `precision` (auto loses nothing), or scale the column";
  const bool as_read = feature.kind == Transform::Kind::number && !settings.series;
  if (!as_read || (feature.is_scaled() && !limits_of(type).whole))
    throw TaskError(
        fmt::format("the feature '{}' of row {} (counted from 0) is a number that {} does not hold",
                    feature.name, misfit.row, storage::to_string(type)),
        {}, help);
  Wanted wanted{column_index(input, column, "a feature")};
  wanted.may_be_missing = feature.imputed;
  wanted.limits = limits_of(type);
  const RejectedRow bad = locate_row(comm, input, {{std::move(wanted)}, settings.missing}, misfit.row);
  throw TaskError(fmt::format("'{}' in column '{}' {}", shown(bad.value), bad.column, bad.reason),
                  place_of(bad), help);
}

storage::Encoding choose_encoding(const Communicator& comm, const Input& input,
                                  const PreprocessSettings& settings, const Prepared& prepared) {
  const Transform transform(prepared.inputs, prepared.schema.steps);
  storage::Encoding encoding;
  std::optional<Misfit> misfit;
  if (settings.precision)
    encoding = encoding_of(comm, prepared.samples, transform, *settings.precision, misfit);
  else
    encoding = lossless_encoding(comm, prepared.samples, transform);
  if (misfit) {
    const Transform::Feature& feature = transform.features()[misfit->feature];
    refuse_misfit(comm, input, settings, feature, *misfit, *settings.precision,
                  prepared.inputs[feature.input].name);
  }
  return encoding;
}

/// A part that is asked for has rows.
void require_rows(const SplitSettings& split, const storage::PartSizes& sizes) {
  if (sizes[0] == 0)
    throw TaskError("the split leaves no training rows", {}, "make the test and validation parts smaller");
  if (split.type == SplitType::every && sizes[2] == 0)
    throw TaskError(fmt::format("fold {} of {} is empty: there are too few {}", split.offset, split.every,
                                split.group.empty() ? "rows" : "groups"),
                    {}, "make fewer folds (`every`)");
  if ((split.test > 0 && sizes[2] == 0) || (split.validation > 0 && sizes[1] == 0))
    throw TaskError(
        fmt::format("the split leaves no {} rows", sizes[2] == 0 && split.test > 0 ? "test" : "validation"),
        {}, "there are too few rows for so small a part: make it larger, or leave it out");
}

/// Some training row counts.
void require_weight(const Communicator& comm, const Prepared& prepared) {
  const SampleLayout& layout = prepared.samples.layout;
  if (!layout.weighted) return;
  int some = 0;
  comm.agree([&] {
    prepared.samples.rows.each_block([&](std::uint64_t first, std::span<const double> block) {
      for (std::uint64_t i = 0; i < block.size() / layout.width(); ++i)
        if (prepared.parts[first + i] == storage::Part::train && prepared.copies[first + i] > 0 &&
            block[i * layout.width() + layout.weight()] > 0)
          some = 1;
    });
  });
  if (comm.allreduce(some, Reduction::max) == 0)
    throw TaskError(fmt::format("the weight '{}' of every training row is 0: there is nothing to learn from",
                                prepared.schema.weight),
                    {}, "is it the right column? Leave `sample_weight` out to have each row count once");
}

/// Which samples are for what, and how often.
void assign(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
            Prepared& prepared, UntrainedClasses& untrained) {
  const storage::Schema& schema = prepared.schema;
  prepared.parts = assign_parts(comm, settings.split, prepared.samples, schema.classes.size());
  prepared.copies = balanced(comm, settings.balance, settings.seed, prepared.samples, prepared.parts,
                             schema.classes.size());
  storage::PartSizes sizes = count_parts(prepared);
  comm.allreduce(std::span<std::uint64_t>(sizes), Reduction::sum);
  require_rows(settings.split, sizes);
  require_weight(comm, prepared);
  untrained = find_untrained_classes(comm, input, settings.missing, prepared.samples, prepared.parts, schema);
  if (comm.is_root() && untrained.count > 0) fmt::print(stderr, "warning: {}\n", untrained.warning);
}

void prepare_sparse(const Communicator& comm, const Input& opened, const PreprocessSettings& settings,
                    const Buffer& buffer, Prepared& prepared, UntrainedClasses& untrained) {
  SparseInput input(dynamic_cast<const SvmInput&>(opened),
                    settings.precision ? std::optional(limits_of(*settings.precision)) : std::nullopt);
  prepared.samples = read_targets(comm, input, settings, buffer, prepared.schema);
  prepared.sparse = input.take_features();
  assign(comm, input, settings, prepared, untrained);
  prepared.schema.features = input.feature_names();
  prepared.encoding.sparse = true;
  const storage::Element type = type_of(comm, prepared.sparse);
  prepared.encoding.features = settings.precision.value_or(type);
}

void prepare_dense(const Communicator& comm, const Input& input, const PreprocessSettings& settings,
                   const Buffer& buffer, Prepared& prepared, UntrainedClasses& untrained) {
  storage::Schema& schema = prepared.schema;
  std::vector<ColumnPlan> plans;
  prepared.samples = read_samples(comm, input, settings, buffer, schema, plans);
  assign(comm, input, settings, prepared, untrained);
  if (settings.series) {
    plans = plans_of_windows(schema.series, settings.scale);
    prepared.samples.categories.resize(plans.size());
  }
  Fitted fitted = fit(comm, prepared.samples, prepared.parts, plans);
  refuse_unknown_categories(comm, input, settings.missing, prepared.samples, plans, fitted);
  prepared.inputs = fitted.inputs;
  if (!settings.series) schema.inputs = std::move(fitted.inputs);
  schema.steps = std::move(fitted.steps);
  schema.features = Transform(prepared.inputs, schema.steps).names();
  require_distinct(schema.features);
  prepared.encoding = choose_encoding(comm, input, settings, prepared);
}

Prepared prepare(const Communicator& comm, const Spec& spec, const PreprocessSettings& settings,
                 const Buffer& buffer, UntrainedClasses& untrained) {
  Prepared prepared;
  prepared.schema.source =
      spec.input("input").filename();  // not its place: equal content makes equal datasets
  prepared.schema.split = setting(spec.config, "split").dump();
  const auto input = open_input(comm, spec);
  const SparseChoice choice = choose_sparse(*input, settings);
  if (comm.is_root() && !choice.reason.empty()) fmt::print("{}\n", choice.reason);
  choice.sparse ? prepare_sparse(comm, *input, settings, buffer, prepared, untrained)
                : prepare_dense(comm, *input, settings, buffer, prepared, untrained);
  if (prepared.schema.target_kind == storage::TargetKind::classes)
    prepared.encoding.target = storage::Element::i32;
  return prepared;
}

}  // namespace

Result run_preprocess(const Spec& spec, const Communicator& comm) {
  const PreprocessSettings settings = read_preprocess_settings(spec.config);
  const Buffer buffer{settings.buffer, {spec.output_directory, spec.key}};
  UntrainedClasses untrained;
  const Prepared prepared = prepare(comm, spec, settings, buffer, untrained);
  const storage::Schema& schema = prepared.schema;
  storage::PartSizes sizes = count_parts(prepared);
  comm.allreduce(std::span<std::uint64_t>(sizes), Reduction::sum);
  if (agree_to_stop(comm)) throw Stopped{};
  write_dataset(comm, spec, settings, prepared, sizes, buffer);
  if (comm.is_root()) fmt::print("{}", described(schema, prepared.samples.total, sizes));
  Result result;
  result.metrics = {{"rows", prepared.samples.total},   {"features", schema.features.size()},
                    {"classes", schema.classes.size()}, {"train_rows", sizes[0]},
                    {"validation_rows", sizes[1]},      {"test_rows", sizes[2]}};
  if (untrained.count > 0) result.metrics["untrained_classes"] = untrained.count;
  result.artifacts = {{"dataset", "dataset.h5"}};
  if (settings.on_bad_row == OnBadRow::skip) {
    write_rejected(comm, spec.output_directory / "rejected.csv", prepared.samples.rejected, buffer.scratch);
    result.metrics["rejected"] = prepared.samples.read_rows - prepared.samples.total;
    result.artifacts["rejected"] = "rejected.csv";
  }
  if (settings.on_bad_row == OnBadRow::impute)
    result.metrics["imputed"] = comm.allreduce(prepared.samples.imputed, Reduction::sum);
  return result;
}

}  // namespace kernmill::tasks
