#!/bin/sh
# Puppet's external node classifier for one run: prints the document beside
# this file. Puppet appends the node's name, which changes nothing here.
exec cat "${0%/*}/enc.yaml"
