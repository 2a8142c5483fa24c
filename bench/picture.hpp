#pragma once
// An SVG picture, made of a few shapes.

#include <string>
#include <utility>
#include <vector>

namespace sx_bench {

class Picture {
 public:
  static constexpr const char* kBlue = "#2563eb";
  static constexpr const char* kRed = "#b91c1c";
  static constexpr const char* kGrey = "#9ca3af";

  Picture(double width, double height);
  void words(double x, double y, const std::string& what, const std::string& attributes = "");
  void line(double x1, double y1, double x2, double y2, const std::string& colour,
            double width = 1);
  void box(double x, double y, double width, double height, const std::string& attributes);
  void dot(double x, double y, const std::string& colour = kBlue, double opacity = 0.5,
           double radius = 2.4);
  std::string done() { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

}  // namespace sx_bench
