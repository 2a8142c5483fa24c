#include "svg.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "picture.hpp"

namespace sx_bench {
namespace {

constexpr double kWidth = 860;
constexpr double kLeft = 20;
constexpr double kPlotWidth = 640;
constexpr const char* kDots = Picture::kBlue;
constexpr const char* kLimit = Picture::kRed;
constexpr const char* kGo = Picture::kGrey;

Figures chosen(const Figures& figures, std::initializer_list<const char*> ids) {
  Figures result;
  for (const char* id : ids) {
    const Figure* found = find_figure(figures, id);
    if (found != nullptr && !found->values.empty()) result.push_back(*found);
  }
  return result;
}

std::string caption(const Figure& figure) {
  std::string text =
      "median " + shown(figure.median()) + " " + figure.unit + ", limit " + limit_of(figure);
  return figure.go.empty() ? text : text + " [Go: " + figure.go + "]";
}

/// A round number at or above: 1, 2 or 5 times a power of ten.
double round_up(double value) {
  const double base = std::pow(10.0, std::floor(std::log10(std::max(value, 1e-3))));
  for (const double step : {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0}) {
    if (step * base >= value * 0.999) return step * base;
  }
  return 10 * base;
}

void strip(Picture& picture, const Figure& figure, double top) {
  // A stray sample of a busy machine must not squeeze the rest into a corner.
  const double low = std::min(0.0, figure.quantile(0.05));
  const double high = round_up(std::max(figure.limit.value_or(0), figure.quantile(0.95)) * 1.05);
  const auto x = [low, high](double value) {
    return kLeft + (std::clamp(value, low, high) - low) / (high - low) * kPlotWidth;
  };
  const double middle = top + 42;
  picture.words(kLeft, top + 14, figure.name, "font-weight=\"bold\"");
  picture.line(kLeft, middle + 20, kLeft + kPlotWidth, middle + 20, "#d1d5db");
  for (int i = 0; i <= 4; ++i) {
    const double value = low + (high - low) * i / 4;
    picture.line(x(value), middle + 20, x(value), middle + 24, "#9ca3af");
    picture.words(x(value), middle + 36, shown(value),
                  "font-size=\"10\" fill=\"#6b7280\" text-anchor=\"middle\"");
  }
  const double q1 = figure.quantile(0.25);
  picture.box(x(q1), middle - 14, x(figure.quantile(0.75)) - x(q1), 28,
              "fill=\"#bfdbfe\" stroke=\"#60a5fa\"");
  int jitter = 0;
  for (const double value : figure.values) {
    picture.dot(x(value), middle - 9 + 18.0 * ((jitter++ * 7) % 10) / 9);
  }
  picture.line(x(figure.median()), middle - 16, x(figure.median()), middle + 16, "#1e3a8a", 2.5);
  if (figure.limit)
    picture.line(x(*figure.limit), middle - 20, x(*figure.limit), middle + 20, kLimit, 2);
  picture.words(kLeft + kPlotWidth + 16, middle - 6,
                "median " + shown(figure.median()) + " " + figure.unit);
  picture.words(kLeft + kPlotWidth + 16, middle + 10,
                "limit " + limit_of(figure) + " " + figure.unit, "fill=\"#b91c1c\"");
  if (!figure.go.empty()) {
    picture.words(kLeft + kPlotWidth + 16, middle + 26, "Go: " + figure.go + " " + figure.unit,
                  "fill=\"#6b7280\"");
  }
}

}  // namespace

std::string latency_plot(const Figures& figures) {
  const Figures rows = chosen(figures, {"start_to_subscribe", "start_cpu", "launch_to_start",
                                        "exit_to_update", "kill_to_stop", "acknowledged_to_gone"});
  constexpr double kRow = 96;
  Picture picture(kWidth, 20 + kRow * static_cast<double>(rows.size()));
  double top = 10;
  for (const auto& row : rows) {
    strip(picture, row, top);
    top += kRow;
  }
  return picture.done();
}

std::string memory_plot(const Figures& figures) {
  const Figures rows =
      chosen(figures, {"idle_rss", "idle_anonymous", "crowd_pss", "crowd_copies_pss", "binary"});
  constexpr double kRow = 66;
  Picture picture(kWidth, 20 + kRow * static_cast<double>(rows.size()));
  double top = 10;
  for (const auto& row : rows) {
    const double most =
        std::max({row.median(), row.limit.value_or(0), row.go_value.value_or(0)}) * 1.02;
    const auto length = [most](double value) { return value / most * kPlotWidth; };
    picture.words(kLeft, top + 14, row.name, "font-weight=\"bold\"");
    picture.words(kWidth - 16, top + 14, caption(row), "text-anchor=\"end\" font-size=\"12\"");
    picture.box(kLeft, top + 22, length(row.median()), 14, std::string("fill=\"") + kDots + "\"");
    if (row.go_value) {
      picture.box(kLeft, top + 38, length(*row.go_value), 8, std::string("fill=\"") + kGo + "\"");
    }
    const double limit = kLeft + length(row.limit.value_or(0));
    if (row.limit) picture.line(limit, top + 18, limit, top + 50, kLimit, 2);
    top += kRow;
  }
  return picture.done();
}

}  // namespace sx_bench
