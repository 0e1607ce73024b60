# Installation paths and the Debian package.
