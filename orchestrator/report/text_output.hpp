#pragma once
#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "kernmill/report/paint.hpp"
#include "kernmill/run/conductor/conductor_output.hpp"

namespace kernmill {

struct TextOptions {
  bool color = false;
  bool live = false;     ///< the stream is a terminal: keep a line of progress at the bottom
  bool quiet = false;    ///< failures alone
  bool verbose = false;  ///< starts too, and every instance of a large stage
  std::size_t width = 100;
  std::size_t large_stage = 12;  ///< from here on a stage gets one line when all of it has ended
};

/// Narrates a run: a line for each thing that happened, columns aligned.
///
///     prepare    done      0.41 s  rows 150  features 4  classes 3
///     fit[2]     failed    0.30 s  depth=3  loss is not finite at epoch 3
class TextOutput final : public Output {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  TextOutput(std::FILE* stream, TextOptions options, Clock now);

  void begin(const RunDirectory& run, const Plan& plan, const Progress& progress, bool resumed) override;
  void instance(const InstanceEvent& event) override;
  void grown(std::uint32_t stage) override;
  void stopping(bool force, std::size_t running) override;
  void end(const RunResult& result) override;
  [[nodiscard]] std::optional<std::chrono::milliseconds> tick_interval() const override;
  void tick() override;

 private:
  struct Tally {
    std::chrono::steady_clock::time_point first_start;
    bool begun = false;
    std::uint32_t cached = 0;
    Json metrics = Json::object();  ///< of a reduce
  };
  void line(const std::string& label, InstanceEvent::What what, const std::string& word,
            std::optional<std::chrono::duration<double>> took, const std::string& details);
  void instance_line(const InstanceEvent& event);
  void stage_line(std::uint32_t stage);
  [[nodiscard]] bool is_large(std::uint32_t stage) const;
  [[nodiscard]] bool has_ended(std::uint32_t stage) const;
  [[nodiscard]] std::string details(const InstanceEvent& event) const;
  void write(const std::string& text);
  void draw_live();
  void clear_live();

  std::FILE* stream_;
  TextOptions options_;
  Clock now_;
  Paint paint_;
  const Plan* plan_ = nullptr;
  const Progress* progress_ = nullptr;
  std::chrono::steady_clock::time_point begun_;
  std::vector<Tally> tallies_;
  std::set<InstanceId> running_;
  std::size_t label_width_ = 0;
  bool live_drawn_ = false;
};

}  // namespace kernmill
