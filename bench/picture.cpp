#include "picture.hpp"

#include <algorithm>
#include <cstdio>

namespace sx_bench {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&') {
      out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Picture::Picture(double width, double height) {
  const std::string size = "width=\"" + number(width) + "\" height=\"" + number(height) + "\"";
  text_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" " + size + " viewBox=\"0 0 " + number(width) +
          " " + number(height) +
          "\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#1f2937\">\n<rect " + size +
          " fill=\"#ffffff\"/>\n";
}

void Picture::words(double x, double y, const std::string& what, const std::string& attributes) {
  text_ += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + attributes + ">" +
           escaped(what) + "</text>\n";
}

void Picture::line(double x1, double y1, double x2, double y2, const std::string& colour,
                   double width) {
  text_ += "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
           "\" y2=\"" + number(y2) + "\" stroke=\"" + colour + "\" stroke-width=\"" +
           number(width) + "\"/>\n";
}

void Picture::box(double x, double y, double width, double height, const std::string& attributes) {
  text_ += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" +
           number(std::max(width, 0.5)) + "\" height=\"" + number(height) + "\" " + attributes +
           "/>\n";
}

void Picture::dot(double x, double y, const std::string& colour, double opacity, double radius) {
  text_ += "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"" + number(radius) +
           "\" fill=\"" + colour + "\" fill-opacity=\"" + number(opacity) + "\"/>\n";
}

}  // namespace sx_bench
