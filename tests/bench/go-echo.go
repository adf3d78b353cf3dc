// go-echo.go - Go's net: a goroutine for each connection
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Run: go-echo [PATH | udp]

package main

import (
	"fmt"
	"log"
	"net"
	"os"
)

func serve(connection net.Conn) {
	defer connection.Close()
	chunk := make([]byte, 16384)
	for {
		n, err := connection.Read(chunk)
		if err != nil {
			return
		}
		if _, err = connection.Write(chunk[:n]); err != nil {
			return
		}
	}
}

func serveStreams(network, address string) {
	listener, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s:%s\n", network, listener.Addr())
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(connection)
	}
}

func serveDatagrams() {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on udp:%s\n", socket.LocalAddr())
	packet := make([]byte, 65536)
	for {
		n, peer, err := socket.ReadFromUDPAddrPort(packet)
		if err != nil {
			log.Fatal(err)
		}
		socket.WriteToUDPAddrPort(packet[:n], peer)
	}
}

func main() {
	switch {
	case len(os.Args) < 2:
		serveStreams("tcp", "127.0.0.1:0")
	case os.Args[1] == "udp":
		serveDatagrams()
	default:
		serveStreams("unix", os.Args[1])
	}
}
