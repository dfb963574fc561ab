// csi-folders is a CSI driver with snapshots for a cluster that can pull none: one process a node, volumes are folders
// of that node and snapshots are copies of them.
//
// It is also its own registrar (node-driver-registrar) and provisioner (external-provisioner), which no registry serves
// as source. A snapshot can be restored only on the node that has it.
package main

import (
	"context"
	"log"
	"net"
	"os"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const (
	driverName = "folders.csi.kafka-lab"
	version    = "1"

	root               = "/var/lib/csi-folders" // a folder of the node, at the same path in the pod
	socket             = "/csi/csi.sock"
	socketOnNode       = "/var/lib/kubelet/plugins/" + driverName + "/csi.sock" // the same one, as the kubelet sees it
	registrationSocket = "/registration/" + driverName + "-reg.sock"
)

func main() {
	node := os.Getenv("NODE_NAME")
	if node == "" {
		log.Fatal("NODE_NAME is not set: the pod's manifest fills it from spec.nodeName")
	}
	folders := store{root: root}
	if err := folders.prepare(); err != nil {
		log.Fatal(err)
	}
	serve(socket, func(server *grpc.Server) {
		// A pointer: v1.9 of the specification's package refuses a server by value.
		services := &driver{node: node, store: folders}
		csi.RegisterIdentityServer(server, services)
		csi.RegisterControllerServer(server, services)
		csi.RegisterNodeServer(server, services)
	})
	serve(registrationSocket, func(server *grpc.Server) { registration.RegisterRegistrationServer(server, &registrar{}) })

	config, err := rest.InClusterConfig()
	if err != nil {
		log.Fatal(err)
	}
	(&provisioner{
		node:      node,
		store:     folders,
		clients:   kubernetes.NewForConfigOrDie(config),
		snapshots: dynamic.NewForConfigOrDie(config),
	}).run(context.Background())
}

// serve answers gRPC on a Unix socket until the process ends, and ends the process if it cannot.
func serve(path string, register func(*grpc.Server)) {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) { // an earlier container's
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	register(server)
	go func() { log.Fatal(server.Serve(listener)) }()
}
