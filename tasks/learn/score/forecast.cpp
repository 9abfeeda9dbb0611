#include "kernmill/tasks/learn/score/forecast.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "kernmill/tasks/data/prepare/series_transform.hpp"
#include "kernmill/tasks/learn/rows/shards.hpp"
#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {
namespace {

/// The continued fraction of the incomplete beta function (Lentz's method; Numerical recipes, 6.4).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300, precision = 1e-15;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < tiny ? tiny : d);
  double h = d;
  for (int m = 1; m < 500; ++m) {
    const double before = h;
    for (const double term : {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                              -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))}) {
      d = 1 + term * d;
      c = 1 + term / c;
      d = 1 / (std::abs(d) < tiny ? tiny : d);
      c = std::abs(c) < tiny ? tiny : c;
      h *= d * c;
    }
    if (std::abs(h - before) <= precision * std::abs(h)) break;
  }
  return h;
}

double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/// All rows' targets, forecasts and price levels, in order of time, on every rank.
struct History {
  std::size_t columns;
  std::vector<double> target, forecast, before, at;
};

History gather(const Communicator& comm, const Rows& rows, const Predictor& predictor) {
  const auto range = storage::even_share(rows.count(), comm.rank(), comm.size());
  const auto columns = predictor.outputs();
  const std::size_t values = range.count() * columns;
  std::vector<double> features, target(values), forecast(values), before(values), at(values);
  std::vector<storage::IndexRange> chunks;
  append_chunks(range, Network::chunk_rows, chunks);
  comm.agree([&] {
    rows.read_levels(range, before, at);
    for (const storage::IndexRange& chunk : chunks) {
      const std::size_t first = (chunk.begin - range.begin) * columns, count = chunk.count() * columns;
      features.resize(chunk.count() * rows.features());
      rows.read(chunk, features, std::span(target).subspan(first, count));
      predictor.predict(features, chunk.count(), std::span(forecast).subspan(first, count));
    }
  });
  const auto all = [&](const std::vector<double>& own) {
    return comm.allgatherv(std::span<const double>(own));
  };
  return {columns, all(target), all(forecast), all(before), all(at)};
}

/// What "no change" is in the units of the target.
double naive_target(SeriesTransform transform, double before) {
  return transform == SeriesTransform::none ? before : 0.0;
}

struct PriceError {
  double rmse = 0, mape = 0;
};

template <class Forecast>
PriceError price_error(const History& history, std::size_t column, const Forecast& forecast) {
  PriceError error;
  const std::size_t rows = history.at.size() / history.columns;
  for (std::size_t i = column; i < history.at.size(); i += history.columns) {
    const double miss = history.at[i] - forecast(i);
    error.rmse += miss * miss;
    error.mape += std::abs(miss / history.at[i]);
  }
  return {std::sqrt(error.rmse / static_cast<double>(rows)), 100.0 * error.mape / static_cast<double>(rows)};
}

void add_price_errors(const History& history, const storage::Schema& schema, Json& metrics) {
  const SeriesTransform transform = transform_of(schema.series);
  for (std::size_t j = 0; j < history.columns; ++j) {
    const std::string& name = schema.target_names.at(j);
    const PriceError model = price_error(history, j, [&](std::size_t i) {
      return restored(transform, history.before[i], history.forecast[i]);
    });
    const PriceError naive = price_error(history, j, [&](std::size_t i) { return history.before[i]; });
    metrics["price_rmse_" + name] = model.rmse;
    metrics["price_mape_" + name] = model.mape;
    metrics["naive_price_rmse_" + name] = naive.rmse;
    metrics["naive_price_mape_" + name] = naive.mape;
  }
}

}  // namespace

double student_two_sided(double t, double degrees) {
  return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

DieboldMariano diebold_mariano(std::span<const double> differential, std::uint32_t horizon) {
  const auto n = static_cast<double>(differential.size()), h = static_cast<double>(horizon);
  if (differential.size() <= horizon) return {};
  const double mean = std::accumulate(differential.begin(), differential.end(), 0.0) / n;
  const auto covariance = [&](std::size_t lag) {
    double sum = 0;
    for (std::size_t i = lag; i < differential.size(); ++i) {
      sum += (differential[i] - mean) * (differential[i - lag] - mean);
    }
    return sum / n;
  };
  double variance = covariance(0);
  for (std::uint32_t lag = 1; lag < horizon; ++lag) variance += 2 * covariance(lag);
  if (!(variance > 0)) return {};
  const double correction = std::sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n);
  const double statistic = correction * mean / std::sqrt(variance / n);
  return {statistic, student_two_sided(statistic, n - 1)};
}

Json compare_with_naive(const Communicator& comm, const Rows& rows, const Predictor& predictor) {
  const storage::Schema& schema = rows.schema();
  const History history = gather(comm, rows, predictor);
  const SeriesTransform transform = transform_of(schema.series);
  std::vector<double> differential(rows.count(), 0.0);
  double naive = 0, model = 0;
  for (std::size_t i = 0; i < history.target.size(); ++i) {
    const double naive_miss = history.target[i] - naive_target(transform, history.before[i]);
    const double miss = history.target[i] - history.forecast[i];
    naive += naive_miss * naive_miss;
    model += miss * miss;
    differential[i / history.columns] += naive_miss * naive_miss - miss * miss;
  }
  const DieboldMariano test = diebold_mariano(differential, schema.series.horizon);
  Json metrics = {{"naive_rmse", std::sqrt(naive / static_cast<double>(history.target.size()))}};
  if (naive > 0) metrics["r2_vs_naive"] = 1.0 - model / naive;
  metrics["dm_statistic"] = test.statistic;
  metrics["dm_p_value"] = test.p_value;
  add_price_errors(history, schema, metrics);
  return metrics;
}

}  // namespace kernmill::tasks
