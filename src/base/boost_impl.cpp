// Boost.JSON and Boost.URL are compiled here once. Debian's archives hold each of them as one
// object that the linker can only take whole; compiled with our flags it drops what nobody calls
// (0.25 MB).
#include <boost/json/src.hpp>
#include <boost/url/src.hpp>
