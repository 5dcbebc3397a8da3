# Changes a node with types, functions, templates, facts and data of five
# modules that this one depends on, and of its own. The node has apache2
# installed; nothing is fetched and nothing is started.
#
# @param motto  From this module's data.
# @param limits Merged from two levels of this module's data.
class five (
  String[1]            $motto,
  Hash[String,Integer] $limits,
) {
  # Functions of stdlib.
  $encoded = base64('encode', 'five', 'strict')

  # Templates of both languages, with facts and data.
  file { '/etc/five':
    ensure => directory,
  }
  file { '/etc/five/summary':
    content => epp('five/summary.epp', { 'motto' => $motto, 'limits' => $limits }),
  }
  file { '/etc/five/password':
    mode    => '0640',
    content => template('five/password.erb'),
  }
  file { '/etc/five/plain':
    source => 'puppet:///modules/five/plain.txt',
  }

  # A type of stdlib.
  file { '/etc/five/lines':
    content => "first\n",
    replace => false,
  }
  file_line { 'second':
    path    => '/etc/five/lines',
    line    => 'second',
    require => File['/etc/five/lines'],
  }

  # Types of concat.
  concat { '/etc/five/assembled':
    ensure => present,
  }
  concat::fragment { 'end':
    target  => '/etc/five/assembled',
    content => "end\n",
    order   => '20',
  }
  concat::fragment { 'start':
    target  => '/etc/five/assembled',
    content => "start\n",
    order   => '10',
  }

  # Classes of apt, apache and mysql.
  include apt
  apt::conf { 'five':
    content       => "APT::Install-Suggests \"false\";\n",
    notify_update => false,
  }
  class { 'apache':
    service_manage => false,
    default_vhost  => false,
    mpm_module     => 'event',
  }
  apache::vhost { 'five.example.org':
    port    => 8080,
    docroot => '/var/www/five',
  }
  class { 'mysql::server':
    package_manage   => false,
    service_manage   => false,
    create_root_user => false,
    override_options => { 'mysqld' => { 'max_connections' => '55' } },
  }
}
