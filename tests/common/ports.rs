//! Ports on 127.0.0.1 that are nobody else's for as long as a test has them: one that was looked up and given back could be
//! the next test's server before it is used.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port that is taken and where nobody listens: connections to it are refused. A server that sets `SO_REUSEADDR`, as most do,
/// may listen there all the same; nobody gets it by asking for any free port.
#[derive(Debug)]
pub struct Reserved {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl Reserved {
    /// Any port that is free.
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self {
            address: socket.local_addr().unwrap(),
            _socket: socket,
        }
    }

    /// Where connections are refused.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its number.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}
