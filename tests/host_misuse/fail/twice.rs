//! Two plugins in one library.

struct One;
struct Two;

cygnixy_host_misuse::plugin!(One);
cygnixy_host_misuse::plugin!(Two);

renamed::export_plugin!(One);
renamed::export_plugin!(Two);
