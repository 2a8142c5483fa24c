#include "poll_plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "picture.hpp"

namespace sx_bench {
namespace {

constexpr double kWidth = 860;
constexpr double kHeight = 400;
constexpr double kTop = 56;
constexpr double kBottom = 340;
constexpr double kPanel = 330;

/// The figures of one kind, by their size in MB.
std::map<double, const Figure*> series(const Figures& figures, const std::string& kind) {
  std::map<double, const Figure*> result;
  for (const auto& figure : figures) {
    if (!figure.id.starts_with(kind) || figure.values.empty()) continue;
    const double size = std::atof(figure.id.c_str() + kind.size());
    if (size > 0) result[size] = &figure;
  }
  return result;
}

class Panel {
 public:
  Panel(Picture& picture, double left, double low, double high)
      : picture_(picture), left_(left), low_(low), high_(high) {}

  void frame(const std::string& title) {
    picture_.words(left_, kTop - 16, title, "font-weight=\"bold\"");
    const int decades = static_cast<int>(std::lround(std::log10(high_ / low_)));
    for (int i = 0; i <= decades; ++i) {
      const double value = low_ * std::pow(10.0, i);
      picture_.line(left_, y(value), left_ + kPanel, y(value), "#e5e7eb");
      picture_.words(left_ - 6, y(value) + 4, shown(value),
                     "font-size=\"11\" fill=\"#6b7280\" text-anchor=\"end\"");
    }
    for (const double size : {1.0, 5.0, 20.0, 50.0, 100.0, 200.0}) {
      picture_.line(x(size), kBottom, x(size), kBottom + 4, Picture::kGrey);
      picture_.words(x(size), kBottom + 18, shown(size),
                     "font-size=\"11\" fill=\"#6b7280\" text-anchor=\"middle\"");
    }
    picture_.words(left_ + kPanel / 2, kBottom + 36, "state, MB",
                   "font-size=\"11\" fill=\"#6b7280\" text-anchor=\"middle\"");
  }

  void curve(const Figures& figures, const std::string& kind, const std::string& colour) {
    double before_x = 0, before_y = 0;
    for (const auto& [size, figure] : series(figures, kind)) {
      const double here_x = x(size), here_y = y(figure->median());
      if (before_x > 0) picture_.line(before_x, before_y, here_x, here_y, colour, 1.5);
      for (const double value : figure->values) picture_.dot(here_x, y(value), colour);
      before_x = here_x;
      before_y = here_y;
      limit_and_go(here_x, *figure);
    }
  }

 private:
  void limit_and_go(double at, const Figure& figure) {
    if (figure.limit) {
      picture_.line(at - 9, y(*figure.limit), at + 9, y(*figure.limit), Picture::kRed, 2.5);
    }
    if (figure.go_value) picture_.dot(at, y(*figure.go_value), "#111827", 1, 3.5);
  }
  double x(double size) const {
    return left_ + 12 + std::log(size) / std::log(200.0) * (kPanel - 24);
  }
  double y(double value) const {
    const double part = std::log(std::clamp(value, low_, high_) / low_) / std::log(high_ / low_);
    return kBottom - part * (kBottom - kTop);
  }

  Picture& picture_;
  double left_, low_, high_;
};

void legend(Picture& picture) {
  const auto entry = [&picture](double at, const std::string& colour, const std::string& text) {
    picture.dot(at, 16, colour, 1, 4);
    picture.words(at + 10, 20, text, "font-size=\"12\"");
  };
  entry(60, Picture::kBlue, "a poll by the executor's client");
  entry(290, Picture::kGrey, "the same with a full Boost.JSON parse");
  entry(560, "#111827", "Go executor");
  picture.line(672, 16, 690, 16, Picture::kRed, 2.5);
  picture.words(696, 20, "limit", "font-size=\"12\"");
}

}  // namespace

std::string poll_plot(const Figures& figures) {
  Picture picture(kWidth, kHeight);
  legend(picture);
  Panel cpu(picture, 60, 0.1, 10000);
  cpu.frame("processor time, ms");
  cpu.curve(figures, "parse_cpu_", Picture::kGrey);
  cpu.curve(figures, "poll_cpu_", Picture::kBlue);
  Panel memory(picture, 490, 0.1, 10000);
  memory.frame("peak of resident memory above idle, MB");
  memory.curve(figures, "parse_memory_", Picture::kGrey);
  memory.curve(figures, "poll_memory_", Picture::kBlue);
  return picture.done();
}

}  // namespace sx_bench
