#include "kernmill/tasks/data/prepare/fit.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "kernmill/base/table/numbers.hpp"
#include "kernmill/tasks/data/prepare/column_statistics.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using storage::ColumnType;
using storage::Step;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_one_hot = 10'000;
constexpr double largest = 1e150;  // its square, and sums of such squares, stay finite

double number_of(const ColumnPlan& plan) {
  double value = 0;
  if (const std::string reason = parse_exact_number(plan.impute.value, value); !reason.empty())
    throw TaskError(fmt::format("the constant '{}' for column '{}' {}", plan.impute.value, plan.name, reason),
                    {}, "a column of numbers needs a number");
  return value;
}

class Fitter {
 public:
  Fitter(const Communicator& comm, Samples& samples, const std::vector<storage::Part>& parts,
         const std::vector<ColumnPlan>& plans)
      : comm_(comm), samples_(samples), parts_(parts), plans_(plans), fills_(plans.size(), nothing) {}

  Fitted run() {
    rows_ = [this](const auto& work) {
      samples_.rows.each_block([&](std::uint64_t first, std::span<const double> block) {
        const std::size_t width = samples_.layout.width();
        for (std::uint64_t i = 0; i < block.size() / width; ++i)
          if (parts_[first + i] == storage::Part::train) work(block.data() + i * width);
      });
    };
    std::vector<bool> summed;
    for (const ColumnPlan& plan : plans_)
      summed.push_back(plan.type == ColumnType::number &&
                       (plan.impute.with == Impute::mean || plan.scale == Scale::standard));
    raw_ = column_statistics(comm_, rows_, fills_, summed);
    describe_inputs();
    find_categories();
    impute();
    indicate();
    encode();
    scale();
    rename();
    return std::move(fitted_);
  }

 private:
  void describe_inputs() {
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      const bool number = plans_[i].type == ColumnType::number;
      const bool known = number && raw_[i].count > 0;
      fitted_.inputs.push_back({plans_[i].name,
                                plans_[i].type,
                                {},
                                known ? raw_[i].lowest : nothing,
                                known ? raw_[i].highest : nothing,
                                raw_[i].missing});
      if (raw_[i].count == 0 && plans_[i].impute.with != Impute::constant)
        throw TaskError(fmt::format("column '{}' has no value in any training row", plans_[i].name), {},
                        "drop the column, or impute a constant");
    }
  }

  /// Which categories of each column the training rows have, and how often.
  [[nodiscard]] std::vector<std::vector<std::uint64_t>> count_categories() const {
    std::vector<std::vector<std::uint64_t>> counts(plans_.size());
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      if (plans_[i].type != ColumnType::category) continue;
      counts[i].assign(samples_.categories[i].size(), 0);
      columns.push_back(i);
    }
    if (columns.empty()) return counts;
    rows_([&](const double* row) {
      for (const std::size_t i : columns)
        if (!std::isnan(row[i])) ++counts[i][static_cast<std::size_t>(row[i])];
    });
    for (const std::size_t i : columns) comm_.allreduce(std::span(counts[i]), Reduction::sum);
    return counts;
  }

  void find_categories() {
    fitted_.has_unknown.resize(plans_.size());
    std::vector<std::vector<double>> codes(plans_.size());
    const auto all_counts = count_categories();
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      if (plans_[i].type != ColumnType::category) continue;
      const auto& counts = all_counts[i];
      auto& known = fitted_.inputs[i].categories;
      const auto& all = samples_.categories[i];
      std::vector<std::string> unknown;
      for (std::size_t k = 0; k < all.size(); ++k) (counts[k] > 0 ? known : unknown).push_back(all[k]);
      if (plans_[i].impute.with == Impute::most_frequent)
        constants_[i] =
            all[static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin())];
      if (plans_[i].impute.with == Impute::constant)
        constants_[i] = as_spelled(plans_[i].impute.value, known);
      const bool used = raw_[i].missing > 0 && plans_[i].impute.with == Impute::constant;
      if (used && std::find(known.begin(), known.end(), constants_[i]) == known.end())
        known.insert(std::lower_bound(known.begin(), known.end(), constants_[i]), constants_[i]);
      if (known != all) codes[i] = codes_of(all, known, unknown);
      fitted_.has_unknown[i] = !unknown.empty();
    }
    recode(samples_.rows, codes);
  }

  /// A constant in the spelling that its category has.
  static std::string as_spelled(const std::string& text, const std::vector<std::string>& categories) {
    const auto alike = std::find_if(categories.begin(), categories.end(), [&](const auto& category) {
      return name_key(category) == name_key(text);
    });
    return alike == categories.end() ? text : *alike;
  }

  static std::vector<double> codes_of(const std::vector<std::string>& all,
                                      const std::vector<std::string>& known,
                                      const std::vector<std::string>& unknown) {
    std::vector<double> codes;
    for (const auto& text : all) {
      const auto it = std::lower_bound(known.begin(), known.end(), text);
      const bool is_known = it != known.end() && *it == text;
      const auto place = is_known
                             ? it - known.begin()
                             : static_cast<std::ptrdiff_t>(known.size()) +
                                   (std::lower_bound(unknown.begin(), unknown.end(), text) - unknown.begin());
      codes.push_back(static_cast<double>(place));
    }
    return codes;
  }

  void impute() {
    Step numbers{"impute", {}, {}, {}}, categories{"impute_category", {}, {}, {}};
    std::vector<Quantile> medians;
    for (std::size_t i = 0; i < plans_.size(); ++i)
      if (plans_[i].impute.with == Impute::median) medians.push_back({i, nothing, raw_[i].count, 0.5});
    const auto found = quantiles(comm_, rows_, medians);
    for (std::size_t i = 0; i < medians.size(); ++i) fills_[medians[i].column] = found[i];
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      const ColumnPlan& plan = plans_[i];
      if (plan.impute.with == Impute::none) continue;
      if (plan.type == ColumnType::category) {
        categories.columns.push_back(plan.name);
        categories.texts.push_back(constants_[i]);
        continue;
      }
      if (plan.impute.with == Impute::mean) fills_[i] = raw_[i].mean;
      if (plan.impute.with == Impute::constant) fills_[i] = number_of(plan);
      if (plan.impute.with == Impute::most_frequent) fills_[i] = most_frequent_number(comm_, rows_, i);
      numbers.columns.push_back(plan.name);
      numbers.numbers.push_back(fills_[i]);
    }
    keep(std::move(numbers));
    keep(std::move(categories));
  }

  void indicate() {
    Step step{"indicator", {}, {}, {}};
    for (const ColumnPlan& plan : plans_)
      if (plan.impute.indicator && plan.impute.with != Impute::none) step.columns.push_back(plan.name);
    keep(std::move(step));
  }

  void encode() {
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      const std::string& name = plans_[i].name;
      const auto& categories = fitted_.inputs[i].categories;
      if (plans_[i].encode.as == Encode::one_hot && categories.size() > most_one_hot)
        throw TaskError(fmt::format("column '{}' has {} categories, and one_hot makes a feature of each: "
                                    "that is for at most {}",
                                    name, categories.size(), most_one_hot),
                        {}, "is it an identifier? Drop it, or use `encode: ordinal`");
      if (plans_[i].encode.as != Encode::none)
        keep({plans_[i].encode.as == Encode::one_hot ? "one_hot" : "ordinal",
              {name},
              {plans_[i].encode.unknown_is_fine ? 1.0 : 0.0},
              categories});
    }
  }

  void scale() {
    const auto wants = [&](std::size_t i, Scale scale) {
      return plans_[i].scale == scale && plans_[i].encode.as != Encode::one_hot;
    };
    std::vector<double> fills = fills_;  // a category is scaled as a number, missing ones imputed
    std::vector<std::size_t> standard, robust, scaled;
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      if (plans_[i].type == ColumnType::category && plans_[i].impute.with != Impute::none)
        fills[i] = static_cast<double>(std::lower_bound(fitted_.inputs[i].categories.begin(),
                                                        fitted_.inputs[i].categories.end(), constants_[i]) -
                                       fitted_.inputs[i].categories.begin());
      if (wants(i, Scale::standard)) standard.push_back(i);
      if (wants(i, Scale::robust)) robust.push_back(i);
      if (wants(i, Scale::standard) || wants(i, Scale::robust) || wants(i, Scale::min_max))
        scaled.push_back(i);
    }
    if (scaled.empty()) return;
    // Where nothing of what is scaled was missing, its statistics are known.
    std::vector<bool> summed(plans_.size(), false);
    for (const std::size_t i : standard) summed[i] = true;
    const bool known = std::all_of(scaled.begin(), scaled.end(), [&](std::size_t i) {
      return raw_[i].missing == 0 && plans_[i].type == ColumnType::number;
    });
    const auto statistics = known ? raw_ : column_statistics(comm_, rows_, fills, summed);
    std::vector<double> centers(plans_.size(), 0), scales(plans_.size(), 1);
    for (const std::size_t i : scaled) {
      centers[i] = statistics[i].lowest;
      scales[i] = statistics[i].highest - statistics[i].lowest;
    }
    standardise(statistics, fills, standard, centers, scales);
    make_robust(statistics, fills, robust, centers, scales);
    Step step{"scale", {}, {}, {}};
    for (const std::size_t i : scaled) {
      step.columns.push_back(plans_[i].name);
      step.numbers.push_back(centers[i]);
    }
    for (const std::size_t i : scaled) step.numbers.push_back(scales[i] == 0 ? 1 : scales[i]);
    keep(std::move(step));
  }

  void standardise(const std::vector<ColumnStatistics>& statistics, const std::vector<double>& fills,
                   const std::vector<std::size_t>& columns, std::vector<double>& centers,
                   std::vector<double>& scales) const {
    if (columns.empty()) return;
    for (const std::size_t i : columns)
      if (statistics[i].lowest < -largest || statistics[i].highest > largest)
        throw TaskError(fmt::format("column '{}' holds numbers beyond 1e150, which cannot be standardised",
                                    plans_[i].name),
                        {}, "drop the column, or use another scale for it");
    const auto found = deviations(comm_, rows_, fills, statistics, columns);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      centers[columns[k]] = statistics[columns[k]].mean;
      scales[columns[k]] = found[k];
    }
  }

  void make_robust(const std::vector<ColumnStatistics>& statistics, const std::vector<double>& fills,
                   const std::vector<std::size_t>& columns, std::vector<double>& centers,
                   std::vector<double>& scales) const {
    std::vector<Quantile> wanted;
    for (const std::size_t i : columns)
      for (const double q : {0.25, 0.5, 0.75}) wanted.push_back({i, fills[i], statistics[i].count, q});
    const auto found = quantiles(comm_, rows_, wanted);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      centers[columns[k]] = found[3 * k + 1];
      scales[columns[k]] = found[3 * k + 2] - found[3 * k];
    }
  }

  void rename() {
    Step step{"rename", {}, {}, {}};
    for (const ColumnPlan& plan : plans_)
      if (!plan.renamed.empty() && plan.encode.as != Encode::one_hot) {
        step.columns.push_back(plan.name);
        step.texts.push_back(plan.renamed);
      } else if (!plan.renamed.empty()) {
        throw TaskError(
            fmt::format("column '{}' becomes a feature for each category, and cannot be renamed", plan.name),
            {}, "leave out `rename`, or use `encode: ordinal`");
      }
    keep(std::move(step));
  }

  void keep(Step step) {
    if (!step.columns.empty()) fitted_.steps.push_back(std::move(step));
  }

  const Communicator& comm_;
  Samples& samples_;
  const std::vector<storage::Part>& parts_;
  const std::vector<ColumnPlan>& plans_;
  EachRow rows_;
  std::vector<ColumnStatistics> raw_;
  std::vector<double> fills_;                     ///< by column; NaN where nothing is imputed
  std::map<std::size_t, std::string> constants_;  ///< of categories
  Fitted fitted_;
};

}  // namespace

Fitted fit(const Communicator& comm, Samples& samples, const std::vector<storage::Part>& parts,
           const std::vector<ColumnPlan>& plans) {
  return Fitter(comm, samples, parts, plans).run();
}

}  // namespace kernmill::tasks
