#include <cstdio>

#include <fmt/format.h>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/data/prepare/arrange.hpp"
#include "kernmill/tasks/data/prepare/fit.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"
#include "kernmill/tasks/data/prepare/series.hpp"
#include "kernmill/tasks/data/prepare/settings.hpp"
#include "kernmill/tasks/data/prepare/split.hpp"
#include "kernmill/tasks/data/prepare/transform.hpp"
#include "kernmill/tasks/data/prepare/unknown_category.hpp"
#include "kernmill/tasks/data/prepare/untrained_classes.hpp"
#include "kernmill/tasks/data/read/rejected.hpp"
#include "kernmill/tasks/data/store/blocks_together.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/support/program.hpp"

namespace kernmill::tasks {
namespace {

using storage::all_parts;
using storage::Part;

/// Rows of one part, as they are written.
struct PartRows {
  std::vector<double> features, target, before, at;
  std::vector<std::uint64_t> row_numbers;
};

void append(std::vector<double>& to, std::span<const double> from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// What is known once the input has been read and the preprocessing fitted.
struct Prepared {
  storage::Schema schema;
  Samples samples;
  std::vector<Part> parts;                   ///< by sample
  std::vector<std::uint32_t> copies;         ///< how often each sample is written
  std::vector<storage::InputColumn> inputs;  ///< what the steps start from
  UntrainedClasses untrained;
};

void append_sample(const SampleLayout& layout, std::span<const double> features, const double* row,
                   PartRows& part) {
  append(part.features, features);
  append(part.target, {row + layout.target(), layout.targets});
  if (layout.levels) append(part.before, {row + layout.before(), layout.targets});
  if (layout.levels) append(part.at, {row + layout.at(), layout.targets});
  part.row_numbers.push_back(static_cast<std::uint64_t>(row[layout.number()]));
}

/// Writes the parts, a block at a time on all ranks.
class PartWriter {
 public:
  PartWriter(storage::DatasetWriter& writer, bool levels) : writer_(writer), levels_(levels) {}

  /// Collective. Rows of this rank begin at `first` in each part.
  void start(const storage::PartSizes& first) { next_ = first; }
  /// Collective.
  void write(Part part, const PartRows& rows) {
    std::uint64_t& first = next_[static_cast<std::size_t>(part)];
    writer_.write(part, first, rows.features, rows.target, rows.row_numbers);
    if (levels_) writer_.write_levels(part, first, rows.before, rows.at);
    first += rows.row_numbers.size();
  }

 private:
  storage::DatasetWriter& writer_;
  bool levels_;
  storage::PartSizes next_{};
};

storage::PartSizes count_parts(const Prepared& prepared) {
  storage::PartSizes sizes{};
  for (std::uint64_t i = 0; i < prepared.samples.count(); ++i)
    sizes[static_cast<std::size_t>(prepared.parts[i])] += prepared.copies[i];
  return sizes;
}

/// Writes all samples in the order of the input. With `training`, those of the training part go there
/// instead, their features in front.
void write_in_order(const Communicator& comm, const Prepared& prepared, PartWriter& writer,
                    RowStore* training) {
  const Transform transform(prepared.inputs, prepared.schema.steps);
  const SampleLayout& layout = prepared.samples.layout;
  const std::size_t rest = layout.width() - layout.inputs;
  std::array<PartRows, 3> rows;
  const auto flush = [&] {
    if (agree_to_stop(comm)) throw Stopped{};
    for (const Part part : all_parts) {
      writer.write(part, rows[static_cast<std::size_t>(part)]);
      rows[static_cast<std::size_t>(part)] = {};
    }
  };
  const auto distribute = [&](std::uint64_t first, std::span<const double> block) {
    std::vector<double> features;
    transform.apply(block, layout.width(), features);
    for (std::uint64_t i = 0; i < block.size() / layout.width(); ++i) {
      const double* const row = block.data() + i * layout.width();
      const auto own = std::span(features).subspan(i * transform.width(), transform.width());
      for (std::uint32_t copy = 0; copy < prepared.copies[first + i]; ++copy)
        if (training != nullptr && prepared.parts[first + i] == Part::train) {
          std::copy(own.begin(), own.end(), training->next());
          std::copy_n(row + layout.inputs, rest, training->next() + own.size());
          training->keep();
        } else {
          append_sample(layout, own, row, rows[static_cast<std::size_t>(prepared.parts[first + i])]);
        }
    }
  };
  each_block_together(comm, prepared.samples.rows, [&](std::uint64_t first, std::span<const double> block) {
    comm.agree([&] { distribute(first, block); });
    flush();
  });
}

/// Writes rows of the training part that have their features in front.
void write_training(const Communicator& comm, const SampleLayout& layout, std::size_t features,
                    const RowStore& rows, PartWriter& writer) {
  SampleLayout with_features = layout;
  with_features.inputs = features;
  each_block_together(comm, rows, [&](std::uint64_t, std::span<const double> block) {
    PartRows part;
    for (std::uint64_t i = 0; i < block.size(); i += rows.width())
      append_sample(with_features, block.subspan(i, features), block.data() + i, part);
    writer.write(Part::train, part);
  });
}

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
  storage::DatasetWriter dataset(comm.handle(), spec.output_directory / "dataset.h5", prepared.schema, sizes,
                                 {spec.key, provenance_of(spec, prepared)});
  const SampleLayout& layout = prepared.samples.layout;
  PartWriter writer(dataset, layout.levels);
  storage::PartSizes first = count_parts(prepared);
  comm.exscan(std::span<std::uint64_t>(first));
  writer.start(first);
  if (settings.shuffle) {
    const std::size_t features = prepared.schema.features.size();
    RowStore training(features + layout.width() - layout.inputs, buffer);
    write_in_order(comm, prepared, writer, &training);
    training = shuffled(comm, training, settings.seed, buffer);
    first[0] = storage::even_share(sizes[0], comm.rank(), comm.size()).begin;
    writer.start(first);
    write_training(comm, layout, features, training, writer);
  } else {
    write_in_order(comm, prepared, writer, nullptr);
  }
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

Prepared prepare(const Communicator& comm, const Spec& spec, const PreprocessSettings& settings,
                 const Buffer& buffer) {
  Prepared prepared;
  storage::Schema& schema = prepared.schema;
  schema.source = spec.input("input").filename();  // not its place: equal content makes equal datasets
  schema.split = setting(spec.config, "split").dump();
  const auto input = open_input(comm, spec);
  std::vector<ColumnPlan> plans;
  prepared.samples = read_samples(comm, *input, settings, buffer, schema, plans);
  prepared.parts = assign_parts(comm, settings.split, prepared.samples, schema.classes.size());
  prepared.copies = balanced(comm, settings.balance, settings.seed, prepared.samples, prepared.parts,
                             schema.classes.size());
  if (settings.series) {
    plans = plans_of_windows(schema.series, settings.scale);
    prepared.samples.categories.resize(plans.size());
  }
  storage::PartSizes sizes = count_parts(prepared);
  comm.allreduce(std::span<std::uint64_t>(sizes), Reduction::sum);
  require_rows(settings.split, sizes);
  prepared.untrained =
      find_untrained_classes(comm, *input, settings.missing, prepared.samples, prepared.parts, schema);
  if (comm.is_root() && prepared.untrained.count > 0)
    fmt::print(stderr, "warning: {}\n", prepared.untrained.warning);
  Fitted fitted = fit(comm, prepared.samples, prepared.parts, plans);
  refuse_unknown_categories(comm, *input, settings.missing, prepared.samples, plans, fitted);
  prepared.inputs = fitted.inputs;
  if (!settings.series) schema.inputs = std::move(fitted.inputs);
  schema.steps = std::move(fitted.steps);
  schema.features = Transform(prepared.inputs, schema.steps).names();
  require_distinct(schema.features);
  return prepared;
}

}  // namespace

Result run_preprocess(const Spec& spec, const Communicator& comm) {
  const PreprocessSettings settings = read_preprocess_settings(spec.config);
  const Buffer buffer{settings.buffer, {spec.output_directory, spec.key}};
  const Prepared prepared = prepare(comm, spec, settings, buffer);
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
  if (prepared.untrained.count > 0) result.metrics["untrained_classes"] = prepared.untrained.count;
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
