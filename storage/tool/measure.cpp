#include "kernmill/storage/tool/measure.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <system_error>

#include <boost/program_options.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/tool/describe.hpp"
#include "kernmill/storage/tool/measured_ways.hpp"
#include "kernmill/storage/transport/choice.hpp"

namespace kernmill::storage::tool {
namespace {

namespace fs = std::filesystem;
using Seconds = std::vector<double>;

constexpr std::uint64_t rows_of_a_batch = 128, batches = 16;
constexpr int openings = 8, small_files = 4;

/// Lets nothing of a file be left in a node's page cache, as far as its file system does so.
void forget(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw system_error(file, "open it", errno);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

double median(Seconds values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Measurement {
 public:
  Measurement(MPI_Comm comm, const Measuring& what)
      : comm_(comm),
        what_(what),
        rows_(comm, what.bytes),
        random_(static_cast<unsigned>(rank_in(comm))),
        chosen_(choose_transport(comm, what.directory, {})) {
    agree(comm, [&] {
      std::error_code none;
      if (!fs::is_directory(what.directory, none))
        throw Error(
            fmt::format("{}: rank {} does not see this directory: it does not lie on a file system that "
                        "all nodes share",
                        what.directory.string(), rank_in(comm)));
    });
    ways_.push_back(raw_way(comm));
    if (is_allowed(Transport::posix)) ways_.push_back(dataset_way(comm, Transport::posix));
    ways_.push_back(dataset_way(comm, Transport::mpiio));
  }

  /// The ways take turns, so that what else the machine does, it does to all of them.
  Json run() {
    for (int round = 0; round < what_.rounds; ++round)
      for (std::size_t i = 0; i < ways_.size(); ++i)
        measure(*ways_[(i + static_cast<std::size_t>(round)) % ways_.size()]);
    return result();
  }

 private:
  void measure(Way& way) {
    const fs::path file = what_.directory / (way.name() + ".h5");
    const double written = slowest([&] { way.write(file, rows_); });
    note("write", way, written);
    note("durable write", way, written + slowest([&] { way.finish(); }));
    agree(comm_, [&] { forget(file); });
    note("sequential read", way, slowest([&] {
           way.open(file);
           way.read(rows_);
           way.close();
         }));
    measure_random_rows(way, file);
    note("open and close", way, slowest([&] {
                                  for (int i = 0; i < openings; ++i) {
                                    way.open(file);
                                    way.close();
                                  }
                                }) / openings);
    measure_small_files(way);
    remove_from_root(file);
  }

  void measure_random_rows(Way& way, const fs::path& file) {
    agree(comm_, [&] { forget(file); });
    std::uniform_int_distribution<std::uint64_t> any(0, rows_.rows - 1);
    std::vector<std::uint64_t> numbers(std::min(rows_of_a_batch, rows_.rows));
    way.open(file);
    double seconds = 0;
    for (std::uint64_t batch = 0; batch < batches; ++batch) {
      for (std::uint64_t& number : numbers) number = any(random_);
      seconds += slowest([&] { way.read_rows(numbers, rows_); });
    }
    way.close();
    random_bytes_ =
        batches * numbers.size() * static_cast<std::uint64_t>(size_of(comm_)) * MeasuredRows::row_bytes;
    note("random rows", way, seconds);
  }

  void measure_small_files(Way& way) {
    const fs::path file = what_.directory / "small.h5";
    note("small file", way, slowest([&] {
                              for (int i = 0; i < small_files; ++i) {
                                way.make_small(file);
                                remove_from_root(file);
                              }
                            }) / small_files);
  }

  /// Several nodes do not write one file through NFS by themselves.
  [[nodiscard]] bool is_allowed(Transport transport) const {
    try {
      decide_transport(asking_for(transport).choice, chosen_.file_system, chosen_.nodes, Purpose::writing);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  void remove_from_root(const fs::path& file) {
    agree_on_root(comm_, [&] { remove_quietly(file); });
  }

  template <class Work>
  double slowest(const Work& work) {
    MPI_Barrier(comm_);
    const auto start = std::chrono::steady_clock::now();
    work();
    const double own = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    double most = 0;
    MPI_Allreduce(&own, &most, 1, MPI_DOUBLE, MPI_MAX, comm_);
    return most;
  }

  void note(const std::string& what, const Way& way, double seconds) {
    if (!seconds_.contains(what)) order_.push_back(what);
    seconds_[what][way.name()].push_back(seconds);
  }

  /// Bytes a second, or seconds.
  Json result() const {
    Json measures = Json::array();
    for (const std::string& what : order_) {
      const bool is_rate = what != "open and close" && what != "small file";
      const std::uint64_t bytes =
          what == "random rows" ? random_bytes_ : rows_.rows * MeasuredRows::row_bytes;
      Json line{{"what", what}, {"unit", is_rate ? "bytes/s" : "s"}};
      for (const auto& way : ways_) {
        const double seconds = median(seconds_.at(what).at(way->name()));
        line[way->name()] = is_rate ? static_cast<double>(bytes) / seconds : seconds;
      }
      measures.push_back(std::move(line));
    }
    return {{"schema_version", 1},
            {"ranks", size_of(comm_)},
            {"nodes", chosen_.nodes},
            {"file_system", to_string(chosen_.file_system)},
            {"auto", {{"transport", to_string(chosen_.transport)}, {"reason", chosen_.reason}}},
            {"bytes", rows_.rows * MeasuredRows::row_bytes},
            {"rounds", what_.rounds},
            {"measures", std::move(measures)}};
  }

  MPI_Comm comm_;
  const Measuring& what_;
  MeasuredRows rows_;
  std::mt19937_64 random_;
  const TransportChoice chosen_;  ///< what `auto` takes
  std::vector<std::unique_ptr<Way>> ways_;
  std::vector<std::string> order_;
  std::map<std::string, std::map<std::string, Seconds>> seconds_;
  std::uint64_t random_bytes_ = 0;
};

Measuring command_line_of(int argc, char** argv) {
  namespace po = boost::program_options;
  Measuring what;
  po::options_description options;
  options.add_options()("verb", po::value<std::string>())("directory", po::value<std::string>()->required())(
      "output", po::value<std::string>()->required())("bytes", po::value(&what.bytes))(
      "rounds", po::value(&what.rounds));
  po::positional_options_description words;
  words.add("verb", 1).add("directory", 1);
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(options).positional(words).run(), values);
  po::notify(values);
  what.directory = values["directory"].as<std::string>();
  what.output = values["output"].as<std::string>();
  what.rounds = std::max(what.rounds, 1);
  return what;
}

}  // namespace

int run_measuring(int argc, char** argv) {
  Measuring what;
  try {
    what = command_line_of(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\nusage: kernmill-storage measure DIRECTORY --output FILE [--bytes N]\n",
               error.what());
    return exit_usage;
  }
  MPI_Init(nullptr, nullptr);
  int status = exit_done;
  try {
    const Json found = Measurement(MPI_COMM_WORLD, what).run();
    agree_on_root(MPI_COMM_WORLD, [&] { write_durably(what.output, found.dump(2) + "\n"); });
  } catch (const Error& error) {  // the same on every rank
    if (rank_in(MPI_COMM_WORLD) == 0) fmt::print(stderr, "error: {}\n", error.what());
    status = exit_failed;
  }
  MPI_Finalize();
  return flushed(status);
}

}  // namespace kernmill::storage::tool
