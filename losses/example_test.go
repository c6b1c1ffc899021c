package losses_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

// A picture is fitted to another by gradient descent on the wavelet loss.
func ExampleWavelet() {
	err := tensor.Do(context.Background(), func(s *tensor.Scope) error {
		target := s.Rand(1, tensor.Float32, tensor.CPU, 1, 3, 16, 16)
		picture := s.Zeros(tensor.Float32, tensor.CPU, 1, 3, 16, 16)
		s.RequiresGrad(true, picture)
		for step := 0; step <= 200; step++ {
			loss := losses.Wavelet(s, picture, target, losses.Bands{Low: 1, Middle: 1, High: 1})
			if step%100 == 0 {
				fmt.Printf("step %3d: %.2f\n", step, s.Item(loss))
			}
			s.NoGrad().AddInPlace(picture, s.Grads(loss, false, picture)[0], -2)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// step   0: 1.48
	// step 100: 0.11
	// step 200: 0.01
}

// The pairwise distances between two networks that come from somewhere else: here two convolutions are the models'
// features. Equal models are at distance 0, others are not.
func ExampleInter() {
	err := tensor.Do(context.Background(), func(s *tensor.Scope) error {
		labelled := s.Rand(1, tensor.Float32, tensor.CPU, 4, 3, 16, 16)
		unlabelled := s.Rand(2, tensor.Float32, tensor.CPU, 4, 3, 16, 16)
		specialist := s.RandN(3, tensor.Float32, tensor.CPU, 8, 3, 3, 3)
		generalist := s.Clone(specialist)

		distance := func() float64 {
			feature := func(x, weight torch.Tensor) torch.Tensor {
				return s.Conv2D(x, weight, torch.Tensor{}, tensor.ConvOptions{})
			}
			return s.Item(losses.Inter(s,
				feature(unlabelled, specialist), feature(unlabelled, generalist),
				feature(labelled, specialist), feature(labelled, generalist), losses.WholeBatch))
		}
		fmt.Println("equal models:", distance())
		s.ScaleInPlace(specialist, 1.1)
		fmt.Println("other models:", distance() > 0)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// equal models: 0
	// other models: true
}

// Layers with their weights, as a feature extractor names them.
func ExampleLayers_Sum() {
	layers := losses.Layers{"conv3_4": 1, "conv1_2": 0.1}
	err := tensor.Do(context.Background(), func(s *tensor.Scope) error {
		sum := layers.Sum(s, func(layer string) torch.Tensor {
			fmt.Println(layer)
			return s.Full(2, tensor.Float32, tensor.CPU) // any loss of that layer's features
		})
		fmt.Printf("%.1f\n", s.Item(sum))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// conv1_2
	// conv3_4
	// 2.2
}

// Both sides of an adversarial loss.
func ExampleGAN() {
	err := tensor.Do(context.Background(), func(s *tensor.Scope) error {
		onReal := s.FromFloat32s([]float32{2, 1}, 2) // logits of a discriminator
		onFake := s.FromFloat32s([]float32{-1, 0}, 2)
		for _, kind := range []losses.GAN{losses.Vanilla, losses.Hinge} {
			d := s.Item(kind.Discriminator(s, onReal, true)) + s.Item(kind.Discriminator(s, onFake, false))
			fmt.Printf("%v: generator %.2f, discriminator %.2f\n", kind, s.Item(kind.Generator(s, onFake)), d)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// vanilla: generator 1.00, discriminator 0.72
	// hinge: generator 0.50, discriminator 0.50
}

// Choices are read from files by their names.
func ExampleCriterion_UnmarshalText() {
	var config struct{ Criterion losses.Criterion }
	fmt.Println(json.Unmarshal([]byte(`{"criterion": "cosine"}`), &config), config.Criterion == losses.Cosine)
	fmt.Println(json.Unmarshal([]byte(`{"criterion": "huber"}`), &config))
	// Output:
	// <nil> true
	// losses: criterion "huber": choose from ce, l1, l2, cosine
}
