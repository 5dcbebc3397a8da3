# Puppet's own answer: the classes of each file named on stdin, as JSON.
require 'puppet'
require 'puppet/info_service'
require 'json'
Puppet.initialize_settings([])
files = $stdin.read.split("\n")
puts JSON.generate(Puppet::InfoService::ClassInformationService.new.classes_per_environment('x' => files)['x'])
